import { createHash } from 'node:crypto';
import type { HttpContext } from './context.ts';

/**
 * A JSON document that is the same for everyone, whatever the request says: cacheable, revalidated by `ETag`, readable
 * from any web page.
 *
 * @param maxAge seconds for which it may be kept
 */
export function publicDocument(content: object, maxAge: number): (ctx: HttpContext) => void {
  const body = JSON.stringify(content);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return (ctx) => {
    if (!readOnly(ctx)) return;
    ctx.set('Cache-Control', `public, max-age=${maxAge}`);
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('ETag', etag);
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = 'application/json';
    ctx.body = body;
  };
}

/** Whether something that can only be read is asked for; otherwise the answer says so. */
export function readOnly(ctx: HttpContext): boolean {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return true;
  ctx.status = 405;
  ctx.set('Allow', 'GET, HEAD');
  ctx.body = { error: 'invalid_request', error_description: 'this document can only be read' };
  return false;
}
