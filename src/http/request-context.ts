import type { BlockList } from 'node:net';
import type { HttpMiddleware } from './context.ts';
import { sourceAddress } from './source-address.ts';

const USABLE = /^[A-Za-z0-9._:=+/@-]{1,128}$/;

/** Gives every request an id and a source, and every response its `X-Request-Id` and the headers that no answer goes without. */
export function requestContext(newId: () => string, trusted: BlockList): HttpMiddleware {
  return (ctx, next) => {
    const sent = ctx.req.headers['x-request-id'];
    ctx.state.requestId = typeof sent === 'string' && USABLE.test(sent) ? sent : newId();
    ctx.state.source = () => sourceAddress(ctx.req, trusted);
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.set('X-Content-Type-Options', 'nosniff');
    return next();
  };
}
