import type { HttpMiddleware } from './context.ts';

/**
 * `GET /health/live`: this process runs. `GET /health/ready`: it can also do its work, or 503.
 *
 * @param isReady whether the database answers; it must itself give up in good time
 */
export function health(isReady: () => Promise<boolean>): HttpMiddleware {
  return async (ctx, next) => {
    if (ctx.path !== '/health/live' && ctx.path !== '/health/ready') return next();
    ctx.set('Cache-Control', 'no-store');
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405;
      ctx.set('Allow', 'GET, HEAD');
      ctx.body = { status: 'method not allowed' };
      return;
    }
    const ok = ctx.path === '/health/live' || (await isReady());
    ctx.status = ok ? 200 : 503;
    ctx.body = { status: ok ? 'ok' : 'unavailable' };
  };
}
