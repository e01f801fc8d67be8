import { LRUCache } from 'lru-cache';
import { isClientId } from '../../domain/ids.ts';
import { sourcePrefix } from '../../http/source-prefix.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { OAuthError } from './oauth-error.ts';

/** The number of failures that may happen at once, and the milliseconds after which one more may happen. */
interface Allowance {
  readonly burst: number;
  readonly interval: number;
}

/** The limits of failed attempts, and of the memory for them. */
export interface GuessLimits {
  /** The failures for one client id from one source. */
  readonly pair: Allowance;
  /** All failures from one source. */
  readonly source: Allowance;
  /** The failures from all sources together; past this limit, every source with failures must wait. */
  readonly everyone: Allowance;
  /** The most sources that are remembered, and the most pairs. */
  readonly kept: number;
}

export const GUESS_LIMITS: GuessLimits = {
  pair: { burst: 20, interval: 3000 },
  source: { burst: 200, interval: 50 },
  everyone: { burst: 5000, interval: 2 },
  kept: 20_000,
};

/** The decision how far an attempt to authenticate may go. */
export interface Admission {
  /** The source, as the prefix of an address. */
  readonly prefix: string;
  /** The source and the client id together; undefined: the text cannot be a client id. */
  readonly pair: string | undefined;
  /** The answer if the attempt fails; undefined: the attempt is not limited. */
  readonly limited: OAuthError | undefined;
  /** Whether the database may be asked for the client. A secret of a remembered account is compared in any case. */
  readonly mayAsk: boolean;
}

/**
 * Slows guessing down (RFC 6749 §2.3.1, RFC 6819 §5.1.4.2.3) but locks no client out: failures count for their source,
 * and never for a client id alone. A client that this node remembers can always authenticate, because its source may be
 * a proxy that others share. Too many failures all get the same answer, and make no work for the database.
 */
export interface GuessLimiter {
  /**
   * Decides how far an attempt may go, before its account is looked up.
   *
   * @param clientId the client id of the request; the decision does not depend on whether such an account exists
   */
  admit(source: string, clientId: string): Admission;
  /**
   * Counts a failure.
   *
   * @param requestId the id of the request, for the log
   * @returns the answer in place of the failure: 429 with `Retry-After`; undefined: the failure itself is answered
   */
  failed(admission: Admission, requestId?: string): OAuthError | undefined;
  succeeded(admission: Admission): void;
}

/** A failure, or the success of a client, that other processes of this server must know of. */
export interface GuessEvent {
  /** The source of a failure, as the prefix of an address; undefined: a client has succeeded. */
  readonly failed: string | undefined;
  /** The source and the client id together. */
  readonly pair: string | undefined;
}

/** Shares what a limiter counts with the limiters of other processes of this server: together they are as one. */
export interface SharedGuesses {
  tell(event: GuessEvent): void;
  hear(told: (event: GuessEvent) => void): void;
}

/** Milliseconds between two lines in the log about one source. */
const QUIET = 60_000;
/** The most sources for which the last line is remembered. */
const MOST_QUIET = 1000;

/**
 * Creates a limiter that counts on this node, in memory. An attempt in flight has not been counted yet, so a client
 * that starts with many requests at once is not refused.
 *
 * @param now milliseconds of a clock that never goes back
 */
export function createGuessLimiter({
  limits: { pair, source, everyone, kept },
  now,
  logger,
  metrics,
  shared,
}: {
  readonly limits: GuessLimits;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'tokenRequestLimited'>;
  /** Undefined: this process serves alone. */
  readonly shared?: SharedGuesses;
}): GuessLimiter {
  // For each pair and source, the time at which it has its whole allowance back. This one number is enough (a leaky
  // bucket as a meter, in ITU-T I.371 GCRA).
  const pairs = new LRUCache<string, number>({ max: kept });
  const sources = new LRUCache<string, number>({ max: kept });
  let wholeForEveryone = -Infinity;
  // Clients that have succeeded, with the failures that they had while limited. The database may be asked for these
  // clients: after an announcement about many accounts they must be read anew, and that must not lock them out. A
  // separate cache: failures of other clients cannot evict them.
  const known = new LRUCache<string, number>({ max: kept });
  const told = new LRUCache<string, number>({ max: MOST_QUIET });

  /** The milliseconds until one more failure may happen; zero or less: it may happen at once. */
  const waitFor = ({ burst, interval }: Allowance, whole = -Infinity): number => whole - (burst - 1) * interval - now();

  /** Counts a failure. Requests that were in flight together may fail together, so the wait has an upper bound. */
  const counted = ({ burst, interval }: Allowance, whole = -Infinity): number =>
    Math.min(Math.max(whole, now()) + interval, now() + burst * interval);

  function tooMany(by: 'client' | 'source' | 'everyone', milliseconds: number): OAuthError {
    return new OAuthError(429, 'temporarily_unavailable', 'too many failed attempts: try again later', {
      reason: `guessing_by_${by}`,
      headers: { 'Retry-After': String(Math.ceil(milliseconds / 1000)) },
    });
  }

  /** The refusal of every attempt from a source; undefined: the source need not wait. */
  function limitOf(prefix: string): OAuthError | undefined {
    const whole = sources.get(prefix);
    // A source without failures never waits, whatever other sources do.
    if (whole === undefined || whole <= now()) return undefined;
    const wait = waitFor(source, whole);
    if (wait > 0) return tooMany('source', wait);
    const waitForOthers = waitFor(everyone, wholeForEveryone);
    return waitForOthers > 0 ? tooMany('everyone', waitForOthers) : undefined;
  }

  /** Whether the database may be asked for a client although it is limited. */
  function isKnown(both: string | undefined): boolean {
    const whole = both === undefined ? undefined : known.get(both);
    return whole !== undefined && waitFor(pair, whole) <= 0;
  }

  /** The refusal of attempts for a client id from a source; undefined: they need not wait. */
  function limitOfPair(both: string | undefined): OAuthError | undefined {
    const wait = both === undefined ? 0 : waitFor(pair, pairs.get(both));
    return wait > 0 ? tooMany('client', wait) : undefined;
  }

  function countFailure(prefix: string, both: string | undefined): void {
    if (both !== undefined) pairs.set(both, counted(pair, pairs.get(both)));
    sources.set(prefix, counted(source, sources.get(prefix)));
    wholeForEveryone = counted(everyone, wholeForEveryone);
  }

  function countSuccess(both: string): void {
    pairs.delete(both);
    known.set(both, -Infinity);
  }

  shared?.hear(({ failed, pair: both }) => {
    if (failed !== undefined) countFailure(failed, both);
    else if (both !== undefined) countSuccess(both);
  });

  function tell(limited: OAuthError, prefix: string, requestId: string | undefined): OAuthError {
    metrics.tokenRequestLimited();
    const last = told.get(prefix);
    if (last === undefined || now() - last >= QUIET) {
      told.set(prefix, now());
      logger.warn({ event: 'guessing.limited', source: prefix, reason: limited.reason, requestId });
    }
    return limited;
  }

  return {
    admit(address, clientId) {
      const prefix = sourcePrefix(address);
      // A text that cannot be a client id has no account, and may be too long to be remembered.
      const both = isClientId(clientId) ? `${prefix} ${clientId}` : undefined;
      const limited = limitOf(prefix) ?? limitOfPair(both);
      return { prefix, pair: both, limited, mayAsk: limited === undefined || isKnown(both) };
    },

    failed({ prefix, pair: both, limited }, requestId) {
      if (limited !== undefined) {
        const whole = both === undefined ? undefined : known.get(both);
        if (both !== undefined && whole !== undefined) known.set(both, counted(pair, whole));
        return tell(limited, prefix, requestId);
      }
      countFailure(prefix, both);
      shared?.tell({ failed: prefix, pair: both });
      return undefined;
    },

    succeeded({ pair: both }) {
      if (both === undefined) return;
      // The others know of most successes already.
      if (shared !== undefined && (!known.has(both) || pairs.has(both))) shared.tell({ failed: undefined, pair: both });
      countSuccess(both);
    },
  };
}
