import type { AuditEntry } from '../audit/audit-event.ts';
import type { KeyHolder } from './key-holder.ts';
import { activeOf, isGone, nextOf } from './key-life.ts';
import { type KeyRingRules, wantedAlgs } from './key-ring.ts';
import { rotationDue } from './rotation-schedule.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import type { SigningAlg } from './signing-key.ts';
import { insertNewKey, keyEntry, retireFor } from './write-signing-keys.ts';

/** A change of the signing keys: the keys that will sign, and the audit entries. */
export interface Rotated {
  readonly keys: readonly StoredSigningKey[];
  readonly audit: readonly AuditEntry[];
}

/**
 * Replaces the signing keys whose time has come by the schedule. Nodes that do this at once do it once: each waits for
 * the lock, and finds the next key there.
 */
export async function rotateByItself(store: SigningKeyStore, holder: KeyHolder, rules: KeyRingRules): Promise<Rotated> {
  const { schedule, now } = rules;
  return rotate(store, holder, rules, undefined, (stored, alg) => {
    const due = rotationDue(stored, alg, schedule, now);
    return due === undefined || due > now ? undefined : new Date(now.getTime() + schedule.ahead);
  });
}

/**
 * Replaces the keys of some algorithms.
 *
 * @param wanted `algs`: the algorithms; undefined: all that have a key; `signsFrom`: the time at which the next keys
 *   sign; a key that is to sign next already signs from then on, if that is earlier
 */
export async function rotateOnDemand(
  store: SigningKeyStore,
  holder: KeyHolder,
  rules: KeyRingRules,
  { algs, signsFrom }: { readonly algs: readonly SigningAlg[] | undefined; readonly signsFrom: Date },
): Promise<Rotated> {
  return rotate(store, holder, rules, algs, () => signsFrom);
}

/**
 * Replaces the keys of some algorithms.
 *
 * @param algs undefined: all that have a key
 * @param signsFromOf the time at which the next key of an algorithm signs; undefined: no key is replaced
 */
async function rotate(
  store: SigningKeyStore,
  holder: KeyHolder,
  rules: KeyRingRules,
  algs: readonly SigningAlg[] | undefined,
  signsFromOf: (stored: readonly StoredSigningKey[], alg: SigningAlg) => Date | undefined,
): Promise<Rotated> {
  const { now } = rules;
  const stored = await lockedKeys(store, rules);
  const keys: StoredSigningKey[] = [];
  const audit: AuditEntry[] = [];
  for (const alg of algs ?? wantedAlgs(rules, await store.named())) {
    const signsFrom = signsFromOf(stored, alg);
    if (signsFrom === undefined) continue;
    const rotated = await replaceKey(store, holder, stored, { alg, signsFrom, now });
    keys.push(...rotated.keys);
    audit.push(...rotated.audit);
  }
  return { keys, audit };
}

/**
 * Deletes a key at once: nothing verifies its tokens any more. If the key signs, or will sign next, another key signs
 * from now on.
 *
 * @returns undefined: there is no such key
 */
export async function removeKey(
  store: SigningKeyStore,
  holder: KeyHolder,
  rules: KeyRingRules,
  kid: string,
): Promise<Rotated | undefined> {
  const { now } = rules;
  const stored = await lockedKeys(store, rules);
  const gone = stored.find((key) => key.kid === kid);
  if (gone === undefined) return undefined;
  await store.delete(kid);
  const others = stored.filter((key) => key !== gone);
  const { alg } = gone;
  const audit = [keyEntry('signing_key.removed', gone, {})];
  const active = activeOf(others, alg, now);
  if (active === undefined) {
    if (!wantedAlgs(rules, await store.named()).includes(alg)) return { keys: [], audit };
    const next = await replaceKey(store, holder, others, { alg, signsFrom: now, now });
    return { keys: next.keys, audit: [...audit, ...next.audit] };
  }
  if (active.retiredAt !== undefined && nextOf(others, alg, now) === undefined) {
    // The deleted key was to take the place of this one.
    await store.update({ ...active, retiredAt: undefined });
    audit.push(keyEntry('signing_key.restored', active, { signsFrom: active.signsFrom }));
  }
  return { keys: [active], audit };
}

/** Locks the keys, and reads those that have not left the JWKS. */
async function lockedKeys(store: SigningKeyStore, rules: KeyRingRules): Promise<readonly StoredSigningKey[]> {
  await store.lock();
  return (await store.list()).filter((key) => !isGone(key, rules));
}

/** Lets a key of one algorithm sign from some time on, in place of those that sign today. */
async function replaceKey(
  store: SigningKeyStore,
  holder: KeyHolder,
  stored: readonly StoredSigningKey[],
  { alg, signsFrom, now }: { readonly alg: SigningAlg; readonly signsFrom: Date; readonly now: Date },
): Promise<Rotated> {
  const waiting = nextOf(stored, alg, now);
  const next =
    waiting === undefined
      ? await insertNewKey(store, holder, alg, { createdAt: now, signsFrom })
      : { ...waiting, signsFrom: waiting.signsFrom < signsFrom ? waiting.signsFrom : signsFrom };
  const audit: AuditEntry[] = [];
  if (waiting === undefined) {
    audit.push(keyEntry('signing_key.created', next, { signsFrom }));
  } else if (next.signsFrom < waiting.signsFrom) {
    await store.update(next);
    audit.push(keyEntry('signing_key.changed', next, { signsFrom }));
  }
  audit.push(...(await retireFor(store, stored, next)));
  return { keys: [next], audit };
}
