import type { HttpMiddleware } from './context.ts';

/** How well a server can do its work. */
export interface Readiness {
  /**
   * `degraded`: known clients are served although the database is away. `unavailable`: it has been away for too long.
   * `draining`: this process is about to end.
   */
  readonly status: 'ready' | 'degraded' | 'unavailable' | 'draining';
  /** A sentence for each thing that an operator should look after. */
  readonly warnings?: readonly string[];
}

/**
 * `GET /health/live`: this process runs. `GET /health/ready`: it should be sent requests, or 503. A server that can
 * serve anything is ready: all nodes lose the database together, and a load balancer would then have none left.
 *
 * @param readiness how it is now; takes no look at the database
 */
export function health(readiness: () => Readiness): HttpMiddleware {
  return (ctx, next) => {
    if (ctx.path !== '/health/live' && ctx.path !== '/health/ready') return next();
    ctx.set('Cache-Control', 'no-store');
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405;
      ctx.set('Allow', 'GET, HEAD');
      ctx.body = { status: 'method not allowed' };
      return undefined;
    }
    if (ctx.path === '/health/live') {
      ctx.body = { status: 'ok' };
      return undefined;
    }
    const { status, warnings = [] } = readiness();
    ctx.status = status === 'ready' || status === 'degraded' ? 200 : 503;
    ctx.body = { status, ...(warnings.length > 0 && { warnings }) };
    return undefined;
  };
}
