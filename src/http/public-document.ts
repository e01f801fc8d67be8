import { createHash } from 'node:crypto';
import type { HttpContext } from './context.ts';
import { answerPreflight } from './preflight.ts';

/** A document that is the same for everyone. The document is written once, and every answer has the same bytes. */
export interface PublicDocument {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly type: 'application/json' | 'text/html';
}

/** Makes a document of JSON. */
export function publicDocument(content: object): PublicDocument {
  return documentOf(JSON.stringify(content), 'application/json');
}

/** Makes a document of HTML. Its answer forbids scripts, and everything that the document does not hold itself. */
export function publicPage(html: string): PublicDocument {
  return documentOf(html, 'text/html');
}

function documentOf(text: string, type: PublicDocument['type']): PublicDocument {
  const bytes = Buffer.from(text);
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`, type };
}

/**
 * Answers with a public document that may be cached, or with 304 when the caller has the document already (`ETag`).
 *
 * @param maxAge seconds for which the document may be kept
 */
export function sendDocument(ctx: HttpContext, { bytes, etag, type }: PublicDocument, maxAge: number): void {
  ctx.set('Cache-Control', `public, max-age=${maxAge}`);
  ctx.set('ETag', etag);
  if (type === 'text/html') ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = type;
  ctx.body = bytes;
}

/** Serves a public document that any web page may read (Fetch standard, "CORS protocol"). */
export function documentEndpoint(document: () => PublicDocument, maxAge: number): (ctx: HttpContext) => void {
  return (ctx) => {
    if (answerPreflight(ctx) || !readOnly(ctx)) return;
    sendDocument(ctx, document(), maxAge);
  };
}

/** Whether the method of the request only reads. Any other method is answered with 405. */
export function readOnly(ctx: HttpContext): boolean {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return true;
  ctx.status = 405;
  ctx.set('Allow', 'GET, HEAD');
  ctx.body = { error: 'invalid_request', error_description: 'this document can only be read' };
  return false;
}
