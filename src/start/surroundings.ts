import type { Clock } from '../domain/clock.ts';
import type { RotationSchedule } from '../domain/signing-keys/rotation-schedule.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Peers } from '../workers/peers.ts';

/** The times in the life of a signing key, in milliseconds. */
export interface KeyTimes extends RotationSchedule {
  /** The time for which a key that is wanted at once is published before it signs. */
  readonly lead: number;
}

/** Time, randomness, the log and the metrics, which the other parts are given. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: { bytes(size: number): Uint8Array; id(): string; uuid(): string };
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The other processes of this server that share its port. */
  readonly peers: Peers;
  /** The id of this process. */
  readonly pid: number;
  /** The bytes of memory that this process may take. */
  readonly memory: number;
  /** Milliseconds for which a start waits for a database that does not answer. */
  readonly databasePatience: number;
  /** The times in the life of a signing key, where tests set shorter ones. */
  readonly keyTimes?: KeyTimes;
}
