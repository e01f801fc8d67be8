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

/** A status list as it is served: signed, and the same compressed. */
export interface PublishedList {
  readonly jwt: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** The Token Status Lists, as they were when this node looked last. */
export interface StatusLists {
  /** By number; undefined until they could be read. */
  readonly published: readonly PublishedList[] | undefined;
  /** Names every list (Token Status List §9); there when they are. */
  readonly aggregation: PublicDocument | undefined;
  /** Has them made anew, soon. */
  refresh(): void;
  /** Waits for those that are being made. */
  close(): Promise<void>;
}

export interface StatusListOptions {
  readonly store: Pick<StatusStore, 'revoked'>;
  readonly signingKeys: Pick<SigningKeys, 'current'>;
  readonly signingAlg: SigningAlg;
  readonly issuer: string;
  readonly clock: Clock;
  /** Told of a look that failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Seconds for which a verifier may go on by a list before it asks for another. */
export const LIST_TTL = 5;
/** Seconds after which a list is nothing to go by, should nobody be able to ask for another. */
const LIST_LIFETIME = 3600;
/** Seconds after which an unchanged list is signed again. */
const SIGNED_AGAIN = 900;
/** Milliseconds: as often they are looked at, whatever is heard of. */
const LOOK_AGAIN = 60_000;
/** Milliseconds until a look that failed is repeated. */
const TRY_AGAIN = 1000;
/** Milliseconds in which further changes are waited for. */
const GATHER = 100;

const compress = promisify(deflate);
const zip = promisify(gzip);

interface Kept extends PublishedList {
  readonly digest: string;
  readonly signedAt: number;
}

/**
 * Keeps the status lists ready, off the way of any request: they are read, compressed and signed when something has
 * been revoked, and served as they are.
 */
export function startStatusLists(options: StatusListOptions): StatusLists {
  const { store, onFailure } = options;
  let published: Kept[] | undefined;
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

  after(0);
  return {
    get published() {
      return published;
    },
    get aggregation() {
      return aggregation;
    },
    refresh() {
      // Whoever looks at this moment may have looked too early.
      wanted = true;
      // What is waited for once is not waited for anew: others could put it off for ever.
      if (running !== undefined || gathering) return;
      gathering = true;
      after(GATHER);
    },
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
  if (before !== undefined && before.digest === digest && now - before.signedAt < SIGNED_AGAIN) return before;
  // Bits that lie about at random have nothing to find but runs of zeros: a hundredth of the time, and as small.
  const lst = (await compress(bits, { strategy: constants.Z_RLE })).toString('base64url');
  const key = signingKeys.current().active[signingAlg];
  const token = await signJwt(key, 'statuslist+jwt', {
    status_list: { bits: 1, lst },
    ttl: LIST_TTL,
    sub: listUri(issuer, list),
    iat: now,
    exp: now + LIST_LIFETIME,
  });
  const jwt = Buffer.from(token);
  return { jwt, gzipped: await zip(jwt), etag: `"${digest.slice(0, 22)}.${now}"`, digest, signedAt: now };
}

/** One bit a place, the first in the lowest bit of the first byte (Token Status List §4.1): 1 is revoked. */
function statusBits(revoked: Uint32Array): Buffer {
  const bits = Buffer.alloc(LIST_CAPACITY / 8);
  for (const idx of revoked) bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7));
  return bits;
}
