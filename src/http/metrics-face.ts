import type { Metrics } from '../observability/metrics.ts';
import type { HttpMiddleware } from './context.ts';
import { readOnly } from './public-document.ts';

/** Milliseconds for which what was rendered is served again: to render costs more than most requests do. */
const KEPT = 1000;

/**
 * `GET /metrics`, in the text format of Prometheus; rendered at most once a second, whoever asks.
 *
 * @param now milliseconds, only ever forwards
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
