import { stringify } from 'node:querystring';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { HttpContext } from '../http/context.ts';
import { ASSERTION_TYPE } from './client-authentication.ts';
import type { ClientRequest } from './client-request.ts';

/** Has the library answer a request. */
export type HandOver = (ctx: HttpContext, request: ClientRequest, parameters: Parameters) => Promise<void>;

/** What stands in the body beside the client authentication. */
type Parameters = Readonly<Record<string, string | undefined>>;

/**
 * The way into the library: the request is handed on in canonical form, all of it in the body, so that nothing else of it
 * can reach it: not `Authorization`, not `Host`, not `Origin`, not `Accept`, and no parameter that we do not know (notes,
 * rows 1, 6 to 9 and 24).
 *
 * @param path where the library serves what is asked for
 */
export function createHandOver(provider: Provider, path: string): HandOver {
  const dispatch = compose(provider.middleware);
  return async (ctx, request, parameters) => {
    const { req } = ctx;
    const body = Buffer.from(canonicalBody(request, parameters));
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
    // The library adds headers for other origins, unless one of them is there (notes, row 6).
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

function canonicalBody({ authentication, clientId }: ClientRequest, parameters: Parameters): string {
  const members = {
    client_id: clientId,
    ...parameters,
    // However a secret was sent: the library refuses one with odd characters in a header in words of its own.
    ...('clientSecret' in authentication && {
      client_id: authentication.clientId,
      client_secret: authentication.clientSecret,
    }),
    ...(authentication.method === 'private_key_jwt' && {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: authentication.assertion.compact,
    }),
  };
  return stringify(Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}
