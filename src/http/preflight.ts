import type { HttpContext } from './context.ts';

/** The methods of what any web page may read. */
const READ_FROM_ANYWHERE = 'GET, HEAD, OPTIONS';

/** Seconds for which a browser may keep the answer: the most that one keeps it. */
const MAX_AGE = 86_400;

/** Names of headers with commas between them (RFC 9110 §5.1), not too many. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~\- \t,]{1,1024}$/;

/**
 * Lets any web page read what is asked for, and answers a preflight for it (Fetch Standard §3.3): a page may send
 * whatever headers it wants to, as none of them matters here. Only for public documents.
 *
 * @returns whether it was a preflight, so that it has been answered
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
