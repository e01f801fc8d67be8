import type { Readiness } from './http/health.ts';
import type { PreparedServer } from './prepare-server.ts';

/** As long without an answer counts as not reaching the database, in milliseconds. */
const REACHED_WITHIN = 1000;
/** Milliseconds that the clocks of node and database may be apart. */
const CLOCK_WARNING = 5000;

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
  const seconds = Math.round(clockOffset() / 1000);
  const apart = `The clock of this node is ${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} the database's`;
  return { status, warnings: Math.abs(clockOffset()) > CLOCK_WARNING ? [apart] : [] };
}
