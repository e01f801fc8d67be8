import { calculateJwkThumbprint } from 'jose';
import type { KeyHolder } from './key-holder.ts';
import { activeOf, goneAt, isGone, type KeyLife, type LifeRules, nextOf } from './key-life.ts';
import { type Profile, takesAlg } from '../profile.ts';
import { rotationDue, type RotationSchedule } from './rotation-schedule.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import { SIGNING_ALGS, type SigningAlg, type SigningKey } from './signing-key.ts';

/** The keys that this node signs and verifies with. */
export interface KeyRing {
  /**
   * The keys of the JWKS in its order: first the keys that sign or will sign, then the keys whose tokens may still
   * live.
   */
  readonly keys: readonly SigningKey[];
  /** The key that signs for each algorithm; while the key of an algorithm is not due yet, another key signs. */
  readonly active: Readonly<Record<SigningAlg, SigningKey>>;
  /**
   * The time at which the next key begins or ceases to sign, or leaves the JWKS; undefined: there is no such key.
   */
  readonly changesAt?: Date | undefined;
  /** The time at which the schedule wants another key; undefined: the next key is there. */
  readonly rotatesAt?: Date | undefined;
}

/** The rules for signing with keys and publishing them. */
export interface KeyRingRules extends LifeRules {
  /** The algorithm for the tokens of resource servers that name none. */
  readonly signingAlg: SigningAlg;
  readonly profile: Profile;
  readonly schedule: RotationSchedule;
}

/**
 * The algorithms that keys are published for, in the order of the JWKS. The server's own algorithm comes first, because
 * some software takes the first key it finds. RS256 is always there, as the last one: most software knows RS256, so a
 * resource server may need it at any time. A profile may forbid RS256.
 */
export function wantedAlgs(
  { signingAlg, profile }: Pick<KeyRingRules, 'signingAlg' | 'profile'>,
  named: ReadonlySet<SigningAlg>,
): readonly SigningAlg[] {
  const others = SIGNING_ALGS.filter((alg) => named.has(alg) && alg !== 'RS256');
  return [...new Set<SigningAlg>([signingAlg, ...others, 'RS256'])].filter((alg) => takesAlg(profile, alg));
}

/**
 * Reads the stored keys, and makes them ready to sign.
 *
 * @throws UndecryptableError when the keys were encrypted with another key-encryption key
 */
export async function readKeyRing(
  store: Pick<SigningKeyStore, 'list' | 'named'>,
  holder: Pick<KeyHolder, 'open'>,
  { signingAlg, profile, keptFor, schedule, now }: KeyRingRules,
): Promise<KeyRing> {
  const rules = { keptFor, now };
  const stored = (await store.list()).filter((key) => !isGone(key, rules));
  // The first keys count as due: the clock of the node that generated them may have been ahead of ours.
  const first = Math.min(...stored.map(({ signsFrom }) => signsFrom.getTime()));
  const kept = stored.map((key) =>
    key.signsFrom.getTime() === first && key.signsFrom > now ? { ...key, signsFrom: now } : key,
  );
  const order = wantedAlgs({ signingAlg, profile }, await store.named());
  const wanted = order.flatMap((alg) => [activeOf(kept, alg, now) ?? [], nextOf(kept, alg, now) ?? []].flat());
  const published = [...wanted, ...kept.filter((key) => !wanted.includes(key)).toReversed()];
  const opened = new Map<StoredSigningKey, SigningKey>();
  for (const key of published) opened.set(key, await openSigningKey(key, holder));
  const keyOf = (key: StoredSigningKey | undefined): SigningKey => {
    const found = key && opened.get(key);
    if (found === undefined) throw new Error('there is no signing key');
    return found;
  };
  // After a change of the server's algorithm, the retired key keeps signing until the new key is due.
  const own = activeOf(kept, signingAlg, now) ?? lastRetired(kept.filter(({ signsFrom }) => signsFrom <= now));
  const active = (alg: SigningAlg): SigningKey => keyOf(activeOf(kept, alg, now) ?? own);
  const changes = kept.flatMap((key) => [key.signsFrom, key.retiredAt ?? [], goneAt(key, keptFor) ?? []].flat());
  return {
    keys: published.map(keyOf),
    active: { ES256: active('ES256'), RS256: active('RS256'), PS256: active('PS256'), EdDSA: active('EdDSA') },
    changesAt: earliest(changes.filter((time) => time > now)),
    rotatesAt: earliest(order.flatMap((alg) => rotationDue(kept, alg, schedule, now) ?? [])),
  };
}

/** The key that was retired last; keys that were not retired come after all others. */
function lastRetired<Key extends KeyLife>(keys: readonly Key[]): Key | undefined {
  return keys.toSorted((one, other) => (other.retiredAt?.getTime() ?? 0) - (one.retiredAt?.getTime() ?? 0))[0];
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.min(...times.map(Number)));
}

async function openSigningKey(stored: StoredSigningKey, holder: Pick<KeyHolder, 'open'>): Promise<SigningKey> {
  const { kid, alg, publicJwk, createdAt } = stored;
  const sign = await holder.open(stored);
  return { kid, alg, publicJwk, thumbprint: await calculateJwkThumbprint({ ...publicJwk }), sign, createdAt };
}
