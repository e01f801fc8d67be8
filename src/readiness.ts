import type { Readiness } from './http/health.ts';
import { clocksApart } from './clocks-apart.ts';
import type { PreparedServer } from './prepare-server.ts';

/** As long without an answer counts as not reaching the database, in milliseconds. */
const REACHED_WITHIN = 1000;

/**
 * How well a node can serve now, from what it knows already.
 *
 * @param maxStaleness seconds for which known clients are served while the database is away
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
