import type { BlockList } from 'node:net';
import type { JWK } from 'jose';
import { quoted } from '../domain/assertions/quoted.ts';
import type { Clock } from '../domain/clock.ts';
import { type IssuerKeySource, IssuerKeysError } from '../domain/federation/issuer-key-source.ts';
import type { IssuerTrust } from '../domain/federation/trusted-issuer.ts';
import { MOST_TRUSTED_ISSUERS } from '../domain/federation/trusted-issuers.ts';
import { createTurns, LineTooLongError } from '../pacing/take-turns.ts';
import { createFairCache } from './fair-cache.ts';
import type { FetchJson, Reach } from './fetch-json.ts';
import { isPublicAddress } from './is-public-address.ts';
import { readJwks } from './read-jwks.ts';

/** The times of keys, in milliseconds. */
export interface KeyTimes {
  /** The age at which keys are fetched anew, while the old ones still serve. */
  readonly fresh: number;
  /** The age beyond which keys serve no more, even if no new ones can be had. */
  readonly last: number;
  /** The least time between two fetches for one issuer. */
  readonly pause: number;
}

export const KEY_TIMES: KeyTimes = { fresh: 600_000, last: 3_600_000, pause: 30_000 };

/** The most issuers whose keys are kept. An owner that changes its issuers again and again drives out its own only. */
const ISSUERS = { all: 2000, each: MOST_TRUSTED_ISSUERS };

/** How many fetches run at once: one owner with many slow issuers does not keep the others waiting. */
const FETCHES = { each: 4, all: 32, line: 64 };

/** The state of the keys of one issuer. */
interface Kept {
  /** None when none were fetched, and when the issuer has withdrawn all of them. */
  keys: readonly JWK[];
  fetchedAt: number;
  triedAt: number;
  trouble: string | undefined;
  flight: Promise<void> | undefined;
}

export interface IssuerKeyOptions {
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  /** The networks in which issuers of root may be, although they are not public. */
  readonly networks: BlockList;
  readonly times: KeyTimes;
  /** Told why the keys of an issuer could not be fetched. */
  readonly onTrouble: (issuer: string, trouble: string) => void;
}

/**
 * Creates the source of the keys of trusted issuers. It keeps the keys that it has fetched. For each issuer one fetch is
 * under way at most, and begins half a minute after the one before at the earliest.
 */
export function createIssuerKeys({ fetchJson, clock, networks, times, onTrouble }: IssuerKeyOptions): IssuerKeySource {
  const kept = createFairCache<Kept>(ISSUERS);
  const takeTurns = createTurns(FETCHES);

  function keptFor(trust: IssuerTrust): Kept {
    // Two owners may have different places for the keys of one issuer.
    const name = JSON.stringify([trust.issuer, trust.keys]);
    const known = kept.get(trust.company ?? '', name, () => {
      return { keys: [], fetchedAt: -Infinity, triedAt: -Infinity, trouble: undefined, flight: undefined };
    });
    // If the clock has gone back, the times count from now: keys from the future would serve for ever.
    const now = clock().getTime();
    known.fetchedAt = Math.min(known.fetchedAt, now);
    known.triedAt = Math.min(known.triedAt, now);
    return known;
  }

  /** Fetches the keys anew, unless that was tried a moment ago. */
  function refresh(known: Kept, trust: IssuerTrust): Promise<void> {
    const now = clock().getTime();
    if (known.flight !== undefined) return known.flight;
    if (now - known.triedAt < times.pause) return Promise.resolve();
    known.triedAt = now;
    known.flight = fetchAnew(known, trust);
    return known.flight;
  }

  /** Fetches the keys, and tells when that fails. The promise never rejects: nobody may wait for it. */
  async function fetchAnew(known: Kept, trust: IssuerTrust): Promise<void> {
    try {
      known.keys = await takeTurns(trust.company ?? '', () => fetchKeys(trust));
      known.fetchedAt = clock().getTime();
      known.trouble = known.keys.length === 0 ? 'the JWK Set has no key that can verify a token' : undefined;
    } catch (error) {
      known.trouble = troubleOf(error);
    }
    known.flight = undefined;
    if (known.trouble !== undefined) onTrouble(trust.issuer, known.trouble);
  }

  async function fetchKeys(trust: IssuerTrust): Promise<readonly JWK[]> {
    const reach: Reach = {
      // A company could otherwise look around in the operator's network.
      names: trust.company === undefined ? 'network' : 'internet',
      mayReach: (address) =>
        isPublicAddress(address) ||
        (trust.company === undefined && networks.check(address, address.includes(':') ? 'ipv6' : 'ipv4')),
    };
    if (trust.keys.kind === 'uri') return readJwks(await fetchJson(trust.keys.jwksUri, reach));
    const document = await fetchJson(`${trust.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, reach);
    return readJwks(await fetchJson(jwksUriIn(document, trust.issuer), reach));
  }

  return {
    keysFor(trust, kid) {
      const { keys } = trust;
      if (keys.kind === 'given') return fitting(keys.jwks.keys, kid);
      const known = keptFor(trust);
      const age = clock().getTime() - known.fetchedAt;
      const found = age < times.last ? fitting(known.keys, kid) : [];
      if (found.length > 0) {
        if (age >= times.fresh) void refresh(known, trust);
        return found;
      }
      return refresh(known, trust).then(() => {
        const usable = clock().getTime() - known.fetchedAt < times.last && known.keys.length > 0;
        if (!usable) throw new IssuerKeysError(known.trouble ?? 'the keys of the issuer are too old');
        return fitting(known.keys, kid);
      });
    },
  };
}

/** The most keys that are tried for one token: each costs a verification, and the issuer chose them. */
const MOST_TRIED = 5;

function fitting(keys: readonly JWK[], kid: string | undefined): readonly JWK[] {
  if (kid !== undefined) return keys.filter((key) => key.kid === kid).slice(0, MOST_TRIED);
  return keys.length <= MOST_TRIED ? keys : [];
}

/** The most characters of an address of keys. */
const LONGEST_URI = 512;

/** Reads the address of the keys from the metadata of an issuer (OpenID Connect Discovery §4.3). */
function jwksUriIn(document: unknown, issuer: string): string {
  if (typeof document !== 'object' || document === null) throw new IssuerKeysError('the metadata is no JSON object');
  const { issuer: named, jwks_uri: uri }: { issuer?: unknown; jwks_uri?: unknown } = document;
  if (named !== issuer) throw new IssuerKeysError(`the metadata is of another issuer: ${quoted(named)}`);
  if (typeof uri !== 'string' || uri.length > LONGEST_URI) throw new IssuerKeysError('the metadata has no jwks_uri');
  return uri;
}

function troubleOf(error: unknown): string {
  if (error instanceof IssuerKeysError) return error.message;
  return error instanceof LineTooLongError
    ? 'too many issuers of this owner are asked for keys already'
    : String(error);
}
