import { LRUCache } from 'lru-cache';
import { isClientId } from '../domain/ids.ts';
import { sourcePrefix } from '../http/source-prefix.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
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

/** An attempt of a client to authenticate that was let through. */
export interface Attempt {
  readonly prefix: string;
  /** The client id and where it comes from; undefined where the id cannot be one. */
  readonly pair: string | undefined;
  /** What it is answered if it fails. */
  readonly limited: OAuthError | undefined;
}

/**
 * Slows guessing down (RFC 6749 §2.3.1, RFC 6819 §5.1.4.2.3) and locks nobody out: what is counted are failures, by
 * where they come from, never by the client id alone.
 */
export interface GuessLimiter {
  /**
   * Lets an attempt through before anything is looked up or hashed for it.
   *
   * @param clientId as it was read; whether there is such an account plays no part
   * @throws OAuthError 429 with `Retry-After`
   */
  admit(source: string, clientId: string): Attempt;
  /** Counts a failure. @returns what is to be answered in place of it, if anything is */
  failed(attempt: Attempt): OAuthError | undefined;
  succeeded(attempt: Attempt): void;
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
  // Those that have succeeded, and their failures while their source waits. Apart, so that failures elsewhere drive none
  // of them out, and that it shows in no later answer who was among them.
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

  function tell(limited: OAuthError, prefix: string): OAuthError {
    metrics.tokenRequestLimited();
    const last = told.get(prefix);
    if (last === undefined || now() - last >= QUIET) {
      told.set(prefix, now());
      logger.warn({ event: 'guessing.limited', source: prefix, reason: limited.reason });
    }
    return limited;
  }

  return {
    admit(address, clientId) {
      const prefix = sourcePrefix(address);
      // What cannot be an id is nobody's; and only ids are short enough to be remembered.
      const both = isClientId(clientId) ? `${prefix} ${clientId}` : undefined;
      const limited = limitOf(prefix);
      if (limited !== undefined) {
        // Whoever shares an address with a guesser goes on; but a guesser is not to learn with whom it shares one.
        const whole = both === undefined ? undefined : known.get(both);
        if (whole === undefined || waitFor(pair, whole) > 0) throw tell(limited, prefix);
        return { prefix, pair: both, limited };
      }
      const wait = both === undefined ? 0 : waitFor(pair, pairs.get(both));
      if (wait > 0) throw tell(tooMany('client', wait), prefix);
      return { prefix, pair: both, limited };
    },

    failed({ prefix, pair: both, limited }) {
      const failures = limited === undefined ? pairs : known;
      if (both !== undefined) failures.set(both, counted(pair, failures.get(both)));
      if (limited !== undefined) return tell(limited, prefix);
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
