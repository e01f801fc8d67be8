import { clocksApart } from '../domain/clock.ts';
import { REACHED_WITHIN } from '../domain/freshness.ts';
import type { Readiness } from '../http/health.ts';
import type { PreparedServer } from '../start/prepare-server.ts';

/**
 * How well a node can serve requests, without asking the database.
 *
 * @param maxStaleness seconds for which remembered clients are served while the database is away
 */
export function readinessOf(
  { sinceAnswer, clockOffset }: Pick<PreparedServer, 'sinceAnswer' | 'clockOffset'>,
  maxStaleness: number,
): Readiness {
  const away = sinceAnswer();
  const status = away <= REACHED_WITHIN ? 'ready' : away <= maxStaleness * 1000 ? 'degraded' : 'unavailable';
  const apart = clocksApart(clockOffset());
  return { status, warnings: apart === undefined ? [] : [apart] };
}
