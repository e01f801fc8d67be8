import { escape } from 'node:querystring';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { HttpContext } from '../../http/context.ts';
import type { Attempt } from '../attempt.ts';
import type { Parameters } from '../ways/way.ts';

/**
 * Lets the library answer a request.
 *
 * @param parameters the parameters of the body beside the client id
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

/** The body has no proof of the client: the client has been recognized. */
function canonicalBody({ snapshot }: Attempt, parameters: Parameters): string {
  if (snapshot === undefined) throw new Error('the client has not been recognized');
  let body = `client_id=${escape(snapshot.account.clientId)}`;
  for (const name in parameters) {
    const value = parameters[name];
    if (value !== undefined) body += `&${name}=${escape(value)}`;
  }
  return body;
}
