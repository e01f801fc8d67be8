import Koa from 'koa';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config/parse-config.ts';
import { basePath } from '../http/base-path.ts';
import type { HttpApp, HttpMiddleware } from '../http/context.ts';
import { sendProblem } from '../http/problem.ts';
import { requestContext } from '../http/request-context.ts';
import { createCertificateReader } from '../http/certificate-reader.ts';
import { createSourceReader } from '../http/source-reader.ts';
import type { Surroundings } from '../start/surroundings.ts';

/** The most client certificates that are kept: some 10 MB. */
const CERTIFICATES = 2000;

/** The faces in two groups: the OAuth endpoints, and everything else. */
export interface Faces {
  readonly oauth: HttpMiddleware;
  readonly internal: readonly HttpMiddleware[];
}

/** Assigns the faces to addresses: all to one address, or everything except the OAuth endpoints to `internalListen`. */
export function placeFaces(
  { oauth, internal }: Faces,
  { host, port, internalListen, issuer, trustedProxies }: Config,
  { logger, random }: Surroundings,
): { app: HttpApp; address: { host: string; port: number }; isPublic: boolean }[] {
  const sourceOf = createSourceReader(trustedProxies, logger);
  const certificateOf = createCertificateReader(trustedProxies, new LRUCache({ max: CERTIFICATES }), logger);
  const application = (faces: readonly HttpMiddleware[]): HttpApp => {
    const app: HttpApp = new Koa();
    app.on('error', (error: unknown) => logger.error({ event: 'http.failed', err: error }));
    app.use(requestContext(random.uuid, sourceOf, certificateOf));
    app.use(basePath(issuer));
    for (const face of faces) app.use(face);
    app.use((ctx) => sendProblem(ctx, { status: 404, code: 'not_found', detail: 'There is no such resource' }));
    return app;
  };
  if (internalListen === undefined) {
    return [{ app: application([oauth, ...internal]), address: { host, port }, isPublic: true }];
  }
  return [
    { app: application([oauth]), address: { host, port }, isPublic: true },
    { app: application(internal), address: internalListen, isPublic: false },
  ];
}
