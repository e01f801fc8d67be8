import type { PresentedCertificate } from '../domain/certificates/client-certificate.ts';
import type { CertificateReader } from './certificate-reader.ts';
import type { HttpMiddleware } from './context.ts';
import type { SourceReader } from './source-reader.ts';

const USABLE = /^[A-Za-z0-9._:=+/@-]{1,128}$/;

/** Gives every request an id and a source, and every response its `X-Request-Id` and `X-Content-Type-Options`. */
export function requestContext(
  newId: () => string,
  sourceOf: SourceReader,
  certificateOf: CertificateReader,
): HttpMiddleware {
  return (ctx, next) => {
    const sent = ctx.req.headers['x-request-id'];
    ctx.state.requestId = typeof sent === 'string' && USABLE.test(sent) ? sent : newId();
    const { req } = ctx;
    ctx.state.source = () => sourceOf(req);
    // Several parts ask for the certificate, and to read one takes time.
    let presented: readonly [PresentedCertificate] | undefined;
    ctx.state.certificate = () => (presented ??= [certificateOf(req)])[0];
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.set('X-Content-Type-Options', 'nosniff');
    return next();
  };
}
