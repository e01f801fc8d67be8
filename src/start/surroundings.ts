import type { Clock } from '../domain/clock.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';

/** Time, randomness, the log and the metrics, which the other parts are given. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: { bytes(size: number): Uint8Array; id(): string; uuid(): string };
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The id of this process. */
  readonly pid: number;
  /** Milliseconds for which a start waits for a database that does not answer. */
  readonly databasePatience: number;
}
