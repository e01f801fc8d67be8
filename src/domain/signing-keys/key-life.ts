import type { StoredSigningKey } from './signing-key-store.ts';
import type { SigningAlg } from './signing-key.ts';

/**
 * The states of a signing key that is in the JWKS, in their order: it does not sign yet, it signs, or it signs no more
 * and its tokens may still live.
 */
export const KEY_STATES = ['published', 'active', 'retired'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** The times in the life of a key. */
export type KeyLife = Pick<StoredSigningKey, 'alg' | 'signsFrom' | 'retiredAt'>;

/** The rules for how long a key stays published. */
export interface LifeRules {
  /** Milliseconds for which a key stays published after it has stopped signing. */
  readonly keptFor: number;
  readonly now: Date;
}

/** The time at which a key leaves the JWKS; undefined: it has not been retired. */
export function goneAt({ retiredAt }: Pick<KeyLife, 'retiredAt'>, keptFor: number): Date | undefined {
  return retiredAt && new Date(retiredAt.getTime() + keptFor);
}

/** Whether a key has left the JWKS. */
export function isGone(key: KeyLife, { keptFor, now }: LifeRules): boolean {
  const gone = goneAt(key, keptFor);
  return gone !== undefined && gone <= now;
}

/** The state of a key that has not left the JWKS. */
export function stateOf({ signsFrom, retiredAt }: KeyLife, now: Date): KeyState {
  if (retiredAt !== undefined && retiredAt <= now) return 'retired';
  return signsFrom <= now ? 'active' : 'published';
}

/** The key that signs with an algorithm: the newest of those that are active. */
export function activeOf<Key extends KeyLife>(keys: readonly Key[], alg: SigningAlg, now: Date): Key | undefined {
  return keys
    .filter((key) => key.alg === alg && stateOf(key, now) === 'active')
    .toSorted((one, other) => one.signsFrom.getTime() - other.signsFrom.getTime())
    .at(-1);
}

/** The key that will sign with an algorithm next. */
export function nextOf<Key extends KeyLife>(keys: readonly Key[], alg: SigningAlg, now: Date): Key | undefined {
  return keys.findLast((key) => key.alg === alg && key.retiredAt === undefined && stateOf(key, now) === 'published');
}
