import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';
import type { Clock } from '../domain/clock.ts';
import { signJwt } from '../domain/signing-keys/sign-jwt.ts';
import type { SigningAlg } from '../domain/signing-keys/signing-key.ts';
import type { SigningKeys } from '../domain/signing-keys/signing-keys.ts';
import { LIST_CAPACITY, listUri } from '../domain/status/status-entry.ts';
import type { StatusStore } from '../domain/status/status-store.ts';
import { publicDocument, type PublicDocument } from '../http/public-document.ts';

/** A status list as it is served: a signed JWT, plain and compressed. */
export interface PublishedList {
  readonly jwt: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** The Token Status Lists, as this node has read them last. */
export interface StatusLists {
  /** The lists by their numbers; undefined until they have been read. */
  readonly published: readonly PublishedList[] | undefined;
  /** The document that names every list (Token Status List §9); undefined until the lists have been read. */
  readonly aggregation: PublicDocument | undefined;
  /** The time at which the lists were read last; undefined: they have not been read yet. */
  readonly readAt: Date | undefined;
  /** Has the lists read anew, soon. */
  refresh(): void;
  /** Stops, and waits until a reading that is under way has ended. */
  close(): Promise<void>;
}

export interface StatusListOptions {
  readonly store: Pick<StatusStore, 'revoked'>;
  readonly signingKeys: SigningKeys;
  readonly signingAlg: SigningAlg;
  readonly issuer: string;
  readonly clock: Clock;
  /** Told why the lists could not be read. */
  readonly onFailure: (error: unknown) => void;
}

/** Seconds for which a verifier may use a list before it fetches the list anew. */
export const LIST_TTL = 5;
/** Seconds after which a verifier must not use a list any more, even if it cannot fetch the list anew. */
const LIST_LIFETIME = 3600;
/** Seconds after which an unchanged list is signed anew. */
const SIGNED_AGAIN = 900;
/** Milliseconds after which the lists are read anew, even without an announcement. */
const LOOK_AGAIN = 60_000;
/** Milliseconds until a failed reading is repeated. */
const TRY_AGAIN = 1000;
/** Milliseconds between an announcement and the reading: further announcements may arrive meanwhile. */
const GATHER = 100;

const compress = promisify(deflate);
const zip = promisify(gzip);

interface Kept extends PublishedList {
  readonly digest: string;
  readonly signedAt: number;
  /** The key that signed the list. */
  readonly kid: string;
}

/**
 * Keeps the status lists ready, so that no request waits for them. The lists are read, compressed and signed after
 * every announcement, and requests are answered with the last result.
 */
export function startStatusLists(options: StatusListOptions): StatusLists {
  const { store, onFailure } = options;
  let published: Kept[] | undefined;
  let readAt: Date | undefined;
  let aggregation: PublicDocument | undefined;
  let wanted = false;
  let gathering = false;
  let closed = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<number> {
    wanted = gathering = false;
    try {
      const { lists, revoked } = await store.revoked();
      const next: Kept[] = [];
      for (let list = 0; list < lists; list += 1) {
        next.push(await publishedList(list, revoked.get(list) ?? new Uint32Array(0), published?.[list], options));
      }
      published = next;
      readAt = options.clock();
      aggregation = publicDocument({ status_lists: next.map((_, list) => listUri(options.issuer, list)) });
      return LOOK_AGAIN;
    } catch (error) {
      onFailure(error);
      return TRY_AGAIN;
    }
  }

  async function lookAndWait(): Promise<void> {
    const next = await look();
    running = undefined;
    gathering = wanted;
    after(wanted ? GATHER : next);
  }

  function after(pause: number): void {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(() => {
      running = lookAndWait();
    }, pause).unref();
  }

  function refresh(): void {
    // A reading that is under way may have begun too early to see the change.
    wanted = true;
    // The wait does not start anew: frequent announcements could otherwise delay the reading for ever.
    if (running !== undefined || gathering) return;
    gathering = true;
    after(GATHER);
  }

  after(0);
  // A verifier that has the new JWKS may not know the key that signed the lists.
  options.signingKeys.onChange(refresh);
  return {
    get published() {
      return published;
    },
    get aggregation() {
      return aggregation;
    },
    get readAt() {
      return readAt;
    },
    refresh,
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function publishedList(
  list: number,
  revoked: Uint32Array,
  before: Kept | undefined,
  { signingKeys, signingAlg, issuer, clock }: StatusListOptions,
): Promise<Kept> {
  const bits = statusBits(revoked);
  const digest = createHash('sha256').update(bits).digest('base64url');
  const now = Math.floor(clock().getTime() / 1000);
  const key = signingKeys.current().active[signingAlg];
  const same = before !== undefined && before.digest === digest && before.kid === key.kid;
  if (same && now - before.signedAt < SIGNED_AGAIN) return before;
  // Random bits have no repetitions except runs of zeros: this strategy takes a hundredth of the time, for the same
  // size.
  const lst = (await compress(bits, { strategy: constants.Z_RLE })).toString('base64url');
  const token = await signJwt(key, 'statuslist+jwt', {
    status_list: { bits: 1, lst },
    ttl: LIST_TTL,
    sub: listUri(issuer, list),
    iat: now,
    exp: now + LIST_LIFETIME,
  });
  const jwt = Buffer.from(token);
  return { jwt, gzipped: await zip(jwt), etag: etagOf(jwt), digest, signedAt: now, kid: key.kid };
}

/** Two lists that were signed in the same second differ. */
function etagOf(jwt: Buffer): string {
  return `"${createHash('sha256').update(jwt).digest('base64url').slice(0, 22)}"`;
}

/** Writes one bit for each entry, from the lowest bit of the first byte on (Token Status List §4.1); 1: revoked. */
function statusBits(revoked: Uint32Array): Buffer {
  const bits = Buffer.alloc(LIST_CAPACITY / 8);
  for (const idx of revoked) bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7));
  return bits;
}
