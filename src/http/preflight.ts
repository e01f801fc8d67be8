import type { HttpContext } from './context.ts';

/** The methods of a document that any web page may read. */
const READ_FROM_ANYWHERE = 'GET, HEAD, OPTIONS';

/** Seconds for which a browser may keep the answer: no browser keeps an answer for longer. */
const MAX_AGE = 86_400;

/** Names of headers with commas between them (RFC 9110 §5.1), of at most 1024 characters. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~\- \t,]{1,1024}$/;

/**
 * Lets any web page read a public document, and answers a preflight for it (Fetch Standard §3.3). A page may send any
 * header: no header matters to a public document.
 *
 * @returns whether the request was a preflight, which has been answered
 */
export function answerPreflight(ctx: HttpContext): boolean {
  ctx.set('Access-Control-Allow-Origin', '*');
  if (ctx.method !== 'OPTIONS') return false;
  const wanted = ctx.get('Access-Control-Request-Headers');
  ctx.status = 204;
  ctx.set('Access-Control-Allow-Methods', READ_FROM_ANYWHERE);
  ctx.set('Access-Control-Allow-Headers', HEADER_NAMES.test(wanted) ? wanted : '*');
  ctx.set('Access-Control-Max-Age', String(MAX_AGE));
  ctx.vary('Access-Control-Request-Headers');
  return true;
}
