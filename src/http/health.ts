import type { HttpMiddleware } from './context.ts';

/** The state of a server: whether it can do its work. */
export interface Readiness {
  /**
   * `degraded`: the database cannot be reached, and remembered clients are served. `unavailable`: the database could
   * not be reached for too long. `draining`: this process is about to end.
   */
  readonly status: 'ready' | 'degraded' | 'unavailable' | 'draining';
  /** One sentence for each problem that an operator should solve. */
  readonly warnings?: readonly string[];
}

/**
 * `GET /health/live`: 200 while this process runs. `GET /health/ready`: 200 while this process should get requests,
 * else 503. A server that can serve some requests is ready: all nodes lose the database together, and a load balancer
 * would have no node left.
 *
 * @param readiness the present state; does not ask the database
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
