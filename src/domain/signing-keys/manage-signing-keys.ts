import { DomainError } from '../domain-error.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { Storage } from '../storage.ts';
import type { KeyHolder } from './key-holder.ts';
import { goneAt, isGone, type KeyState, stateOf } from './key-life.ts';
import { type KeyRingRules, wantedAlgs } from './key-ring.ts';
import { removeKey, rotateOnDemand } from './rotate-signing-keys.ts';
import type { StoredSigningKey } from './signing-key-store.ts';
import type { SigningAlg } from './signing-key.ts';

/** A signing key in the JWKS, without its private half. */
export interface PublishedKey extends Pick<StoredSigningKey, 'kid' | 'alg' | 'createdAt' | 'signsFrom' | 'retiredAt'> {
  readonly state: KeyState;
  /** The time at which the key leaves the JWKS; undefined: it has not been retired. */
  readonly removedAt: Date | undefined;
}

/** The use cases of signing keys, for root. */
export interface ManageSigningKeys {
  /** Lists the keys in the JWKS, newest first. */
  list(): Promise<readonly PublishedKey[]>;
  /**
   * Lets other keys sign. A key that is to sign next already is taken, so that the call is safe to repeat.
   *
   * @param wanted `alg`: undefined: every algorithm that has a key; `immediate`: whether the keys sign at once, although
   *   verifiers may keep a JWKS without them
   * @returns the keys that will sign
   * @throws DomainError `invalid_value` when no key has the algorithm
   */
  rotate(
    caller: Caller,
    wanted: { readonly alg: SigningAlg | undefined; readonly immediate: boolean },
  ): Promise<readonly PublishedKey[]>;
  /** Deletes a key at once, and ends its tokens. Another key signs in its place. @throws DomainError `not_found` */
  remove(caller: Caller, kid: string): Promise<void>;
}

export function createManageSigningKeys({
  storage,
  holder,
  rules: rulesNow,
  lead,
}: {
  readonly storage: Pick<Storage, 'read' | 'write'>;
  readonly holder: KeyHolder;
  readonly rules: () => KeyRingRules;
  /** Milliseconds for which a key is published before it signs: verifiers may keep an older JWKS for a while. */
  readonly lead: number;
}): ManageSigningKeys {
  return {
    async list() {
      const rules = rulesNow();
      const kept = (await storage.read.signingKeys.list()).filter((key) => !isGone(key, rules));
      return kept.toReversed().map((key) => published(key, rules));
    },

    rotate: (caller, { alg, immediate }) =>
      storage.write(originOf(caller), async ({ signingKeys }) => {
        const rules = rulesNow();
        if (alg !== undefined && !wantedAlgs(rules, await signingKeys.named()).includes(alg)) {
          throw new DomainError('invalid_value', 'No key has this algorithm', {
            fields: [{ pointer: '/alg', message: 'is the algorithm of no signing key' }],
          });
        }
        const { keys, audit } = await rotateOnDemand(signingKeys, holder, rules, {
          algs: alg && [alg],
          signsFrom: immediate ? rules.now : new Date(rules.now.getTime() + lead),
        });
        return { result: keys.map((key) => published(key, rules)), audit };
      }),

    remove: (caller, kid) =>
      storage.write(originOf(caller), async ({ signingKeys }) => {
        const removed = await removeKey(signingKeys, holder, rulesNow(), kid);
        if (removed === undefined) throw new DomainError('not_found', 'There is no such signing key');
        return { result: undefined, audit: removed.audit };
      }),
  };
}

function published(key: StoredSigningKey, { now, keptFor }: KeyRingRules): PublishedKey {
  const { kid, alg, createdAt, signsFrom, retiredAt } = key;
  return { kid, alg, createdAt, signsFrom, retiredAt, state: stateOf(key, now), removedAt: goneAt(key, keptFor) };
}
