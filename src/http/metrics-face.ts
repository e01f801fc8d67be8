import type { Metrics } from '../metrics.ts';
import type { HttpMiddleware } from './context.ts';

/** `GET /metrics`, in the text format of Prometheus. */
export function metricsFace(metrics: Metrics): HttpMiddleware {
  return async (ctx, next) => {
    if (ctx.path !== '/metrics' || ctx.method !== 'GET') return next();
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Type', metrics.contentType);
    ctx.body = await metrics.render();
  };
}
