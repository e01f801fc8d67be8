import Koa from 'koa';
import type { Config } from '../config/parse-config.ts';
import { basePath } from '../http/base-path.ts';
import type { HttpApp, HttpMiddleware } from '../http/context.ts';
import { sendProblem } from '../http/problem.ts';
import { requestContext } from '../http/request-context.ts';
import { createSourceReader } from '../http/source-reader.ts';
import type { Surroundings } from '../start/surroundings.ts';

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
): { app: HttpApp; address: { host: string; port: number } }[] {
  const sourceOf = createSourceReader(trustedProxies, logger);
  const application = (faces: readonly HttpMiddleware[]): HttpApp => {
    const app: HttpApp = new Koa();
    app.on('error', (error: unknown) => logger.error({ event: 'http.failed', err: error }));
    app.use(requestContext(random.uuid, sourceOf));
    app.use(basePath(issuer));
    for (const face of faces) app.use(face);
    app.use((ctx) => sendProblem(ctx, { status: 404, code: 'not_found', detail: 'There is no such resource' }));
    return app;
  };
  if (internalListen === undefined) return [{ app: application([oauth, ...internal]), address: { host, port } }];
  return [
    { app: application([oauth]), address: { host, port } },
    { app: application(internal), address: internalListen },
  ];
}
