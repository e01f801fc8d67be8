import type { HttpContext, HttpHandler } from '../../http/context.ts';
import { answerPreflight } from '../../http/preflight.ts';
import { readOnly, sendDocument } from '../../http/public-document.ts';
import { OAuthError, sendOAuthError } from '../refusals/oauth-error.ts';
import { LIST_TTL, type PublishedList, type StatusLists } from '../status-lists.ts';

const PATH = /^\/oauth\/status-lists(?:\/(0|[1-9]\d{0,8}))?$/;

/**
 * Creates `GET /oauth/status-lists/{n}`, which answers a Token Status List as a signed JWT (Token Status List §8.1),
 * and `GET /oauth/status-lists`, which names all lists (§9). Everybody may read the lists, from any web page: they do
 * not tell whose tokens they are about.
 */
export function statusListEndpoints(
  lists: Pick<StatusLists, 'published' | 'aggregation' | 'refresh'>,
): (path: string) => HttpHandler | undefined {
  return (path) => {
    const found = PATH.exec(path);
    if (found === null) return undefined;
    const [, number] = found;
    return (ctx) => {
      if (answerPreflight(ctx) || !readOnly(ctx)) return;
      const { published, aggregation } = lists;
      if (published === undefined || aggregation === undefined) {
        sendOAuthError(
          ctx,
          new OAuthError(503, 'temporarily_unavailable', 'try again in a moment', { headers: { 'Retry-After': '1' } }),
        );
        return;
      }
      if (number === undefined) {
        sendDocument(ctx, aggregation, LIST_TTL);
        return;
      }
      ctx.set('Cache-Control', `public, max-age=${LIST_TTL}`);
      const list = published[Number(number)];
      if (list !== undefined) {
        sendList(ctx, list);
        return;
      }
      // Another node may have begun this list a moment ago.
      if (Number(number) === published.length) lists.refresh();
      ctx.set('Cache-Control', 'no-store');
      sendOAuthError(ctx, new OAuthError(404, 'invalid_request', 'there is no such status list'));
    };
  };
}

function sendList(ctx: HttpContext, { jwt, gzipped, etag }: PublishedList): void {
  ctx.set('ETag', etag);
  ctx.vary('Accept-Encoding');
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  const zipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (zipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = zipped ? gzipped : jwt;
  ctx.set('Content-Type', 'application/statuslist+jwt');
}
