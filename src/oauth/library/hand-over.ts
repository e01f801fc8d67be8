import { escape } from 'node:querystring';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { HttpContext } from '../../http/context.ts';
import type { Attempt } from '../attempt.ts';
import type { Parameters } from '../ways/way.ts';
import { handedOver } from '../ways/ways.ts';

/**
 * Lets the library answer a request.
 *
 * @param parameters the parameters of the body beside the proof of the client
 */
export type HandOver = (ctx: HttpContext, attempt: Attempt, parameters: Parameters) => Promise<void>;

/**
 * Creates the way into the library. The library gets a request in canonical form, with all parameters in the body.
 * Nothing else reaches the library: no `Authorization`, `Host`, `Origin` or `Accept`, and no unknown parameter
 * (oidc-provider.md, N-1, N-6 to N-9 and N-24).
 *
 * @param path the path of the endpoint in the library
 */
export function createHandOver(provider: Provider, path: string): HandOver {
  const dispatch = compose(provider.middleware);
  return async (ctx, attempt, parameters) => {
    const { req } = ctx;
    const body = Buffer.from(canonicalBody(attempt, parameters));
    const stand_in = {
      method: 'POST',
      url: path,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      },
      readable: true,
      readableEncoding: null,
      iterator: () => [body],
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the library reads of a request, and no more
    ctx.req = ctx.request.req = stand_in as unknown as typeof req;
    // The library adds CORS headers, unless the answer has one already (oidc-provider.md, N-6).
    ctx.set(CORS, '');
    try {
      await dispatch(ctx);
    } finally {
      ctx.req = ctx.request.req = req;
      ctx.remove(CORS);
    }
  };
}

const CORS = 'Access-Control-Allow-Origin';

function canonicalBody(attempt: Attempt, parameters: Parameters): string {
  const { clientId, subjectToken } = attempt.request;
  const members: Parameters = {
    // An exchange names the account of its subject token.
    client_id: subjectToken === undefined ? clientId : undefined,
    ...parameters,
    ...handedOver(attempt),
  };
  let body = '';
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) body += `${body === '' ? '' : '&'}${name}=${escape(value)}`;
  }
  return body;
}
