import type { Metrics } from '../observability/metrics.ts';
import type { HttpMiddleware } from './context.ts';
import { readOnly } from './public-document.ts';

/** Milliseconds for which a rendered text is served again: rendering costs more than most requests. */
const KEPT = 1000;

/**
 * `GET /metrics`, in the text format of Prometheus. The metrics are rendered at most once a second.
 *
 * @param now milliseconds of a clock that never goes back
 */
export function metricsFace(metrics: Metrics, now: () => number): HttpMiddleware {
  let rendered: Promise<Buffer> | undefined;
  let renderedAt = -Infinity;

  function render(): Promise<Buffer> {
    if (rendered !== undefined && now() - renderedAt < KEPT) return rendered;
    renderedAt = now();
    rendered = metrics.render().then((text) => Buffer.from(text));
    rendered.catch(() => (rendered = undefined));
    return rendered;
  }

  return async (ctx, next) => {
    if (ctx.path !== '/metrics') return next();
    if (!readOnly(ctx)) return;
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Type', metrics.contentType);
    ctx.body = await render();
  };
}
