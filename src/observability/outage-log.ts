import { DomainError } from '../domain/domain-error.ts';
import type { Logger } from './logger.ts';

/** Logs failures of background work, and outages of the database: their beginning, one line a minute, and their end. */
export interface OutageLog {
  /** @param event the name of the failure in the log, unless the cause is an outage of the database */
  failed(event: string, error: unknown): void;
  /** Notes that the database has answered. */
  answered(): void;
}

/** Milliseconds between two lines about one outage. */
const AGAIN = 60_000;
/** Milliseconds that must pass without a failure before an answer ends an outage. */
const QUIET = 3000;

/** @param now milliseconds of a clock that never goes back */
export function createOutageLog(logger: Logger, now: () => number): OutageLog {
  let outage: { readonly since: number; toldAt: number; failedAt: number; failures: number } | undefined;
  const seconds = (since: number): number => Math.round((now() - since) / 1000);

  return {
    failed(event, error) {
      if (!(error instanceof DomainError && error.code === 'unavailable')) {
        logger.warn({ event, err: error });
        return;
      }
      if (outage === undefined) {
        outage = { since: now(), toldAt: now(), failedAt: now(), failures: 1 };
        const { cause } = error;
        const reason = cause instanceof Error ? cause.message : error.message;
        logger.warn({ event: 'database.lost', during: event, reason });
        return;
      }
      outage.failures += 1;
      outage.failedAt = now();
      if (now() - outage.toldAt < AGAIN) return;
      outage.toldAt = now();
      logger.warn({ event: 'database.still_lost', seconds: seconds(outage.since), failures: outage.failures });
    },

    answered() {
      if (outage === undefined || now() - outage.failedAt < QUIET) return;
      logger.warn({ event: 'database.back', seconds: seconds(outage.since), failures: outage.failures });
      outage = undefined;
    },
  };
}
