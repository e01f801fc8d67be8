import { LRUCache } from 'lru-cache';
import { isClientId } from '../../domain/ids.ts';
import { sourcePrefix } from '../../http/source-prefix.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { OAuthError } from './oauth-error.ts';

/** How many failures are let pass at once, and how many milliseconds bring one of them back. */
interface Allowance {
  readonly burst: number;
  readonly interval: number;
}

/** How much guessing is let pass, and how much of it is remembered. */
export interface GuessLimits {
  /** For one client id from one source. */
  readonly pair: Allowance;
  /** For everything from one source. */
  readonly source: Allowance;
  /** For all sources together; past that, those wait that have failures to their name. */
  readonly everyone: Allowance;
  /** The most sources and pairs that are remembered, each. */
  readonly kept: number;
}

export const GUESS_LIMITS: GuessLimits = {
  pair: { burst: 20, interval: 3000 },
  source: { burst: 200, interval: 50 },
  everyone: { burst: 5000, interval: 2 },
  kept: 20_000,
};

/** How far an attempt to authenticate may go. */
export interface Admission {
  readonly prefix: string;
  /** The client id and where it comes from; undefined where the id cannot be one. */
  readonly pair: string | undefined;
  /** What it is answered if it fails. */
  readonly limited: OAuthError | undefined;
  /** Whether the database may be asked for it; what can be compared without that is compared in any case. */
  readonly mayAsk: boolean;
}

/**
 * Slows guessing down (RFC 6749 §2.3.1, RFC 6819 §5.1.4.2.3) and locks nobody out: what is counted are failures, by
 * where they come from, never by the client id alone. The right secret of a client that this node knows is taken,
 * however many wrong ones came before from the same address, which may be that of a proxy; too many wrong ones are
 * answered alike, and the database has no work with them.
 */
export interface GuessLimiter {
  /**
   * Says how far an attempt may go, before anything is looked up for it.
   *
   * @param clientId as it was read; whether there is such an account plays no part
   */
  admit(source: string, clientId: string): Admission;
  /**
   * Counts a failure.
   *
   * @param requestId for the log
   * @returns what is to be answered in place of it, if anything is: 429 with `Retry-After`
   */
  failed(admission: Admission, requestId?: string): OAuthError | undefined;
  succeeded(admission: Admission): void;
}

/** Milliseconds between two lines in the log about one source, and about how many sources that is known. */
const QUIET = 60_000;
const MOST_QUIET = 1000;

/**
 * Counts on this node and in memory. What is in flight has not been counted yet, so that a client that starts with many
 * requests at once is not refused.
 *
 * @param now milliseconds, only ever forwards
 */
export function createGuessLimiter({
  limits: { pair, source, everyone, kept },
  now,
  logger,
  metrics,
}: {
  readonly limits: GuessLimits;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'tokenRequestLimited'>;
}): GuessLimiter {
  // When each has its whole allowance back: all that need be known of it (a leaky bucket as a meter, in ITU-T I.371 GCRA).
  const pairs = new LRUCache<string, number>({ max: kept });
  const sources = new LRUCache<string, number>({ max: kept });
  let wholeForEveryone = -Infinity;
  // Clients that have succeeded, and their failures while they are limited: the database may be asked for them, so that a
  // change of many accounts shuts none of them out. Apart, so that failures elsewhere drive none of them out.
  const known = new LRUCache<string, number>({ max: kept });
  const told = new LRUCache<string, number>({ max: MOST_QUIET });

  /** Milliseconds until one more failure is let pass; none are left before that. */
  const waitFor = ({ burst, interval }: Allowance, whole = -Infinity): number => whole - (burst - 1) * interval - now();

  /** Requests that were in flight together may fail together: nobody waits longer for that. */
  const counted = ({ burst, interval }: Allowance, whole = -Infinity): number =>
    Math.min(Math.max(whole, now()) + interval, now() + burst * interval);

  function tooMany(by: 'client' | 'source' | 'everyone', milliseconds: number): OAuthError {
    return new OAuthError(429, 'temporarily_unavailable', 'too many failed attempts: try again later', {
      reason: `guessing_by_${by}`,
      headers: { 'Retry-After': String(Math.ceil(milliseconds / 1000)) },
    });
  }

  /** Why everything from a source must wait. */
  function limitOf(prefix: string): OAuthError | undefined {
    const whole = sources.get(prefix);
    // One without failures never waits, whatever others do.
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

  /** Why a client must wait where it comes from. */
  function limitOfPair(both: string | undefined): OAuthError | undefined {
    const wait = both === undefined ? 0 : waitFor(pair, pairs.get(both));
    return wait > 0 ? tooMany('client', wait) : undefined;
  }

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
      // What cannot be an id is nobody's; and only ids are short enough to be remembered.
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
      if (both !== undefined) pairs.set(both, counted(pair, pairs.get(both)));
      sources.set(prefix, counted(source, sources.get(prefix)));
      wholeForEveryone = counted(everyone, wholeForEveryone);
      return undefined;
    },

    succeeded({ pair: both }) {
      if (both === undefined) return;
      pairs.delete(both);
      known.set(both, -Infinity);
    },
  };
}
