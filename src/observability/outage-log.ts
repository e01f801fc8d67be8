import { DomainError } from '../domain/domain-error.ts';
import type { Logger } from './logger.ts';

/** Logs failures beside the requests; the absence of the database when it begins, once a minute, and when it is over. */
export interface OutageLog {
  /** @param event what the failure is called in the log when the database is not away */
  failed(event: string, error: unknown): void;
  /** The database has answered. */
  answered(): void;
}

/** Milliseconds between two lines about one outage. */
const AGAIN = 60_000;
/** Milliseconds without a failure after which an answer ends an outage. */
const QUIET = 3000;

/** @param now milliseconds, only ever forwards */
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
