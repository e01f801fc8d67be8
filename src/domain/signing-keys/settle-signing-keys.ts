import type { AuditEntry } from '../audit/audit-event.ts';
import type { KeyHolder } from './key-holder.ts';
import { isGone } from './key-life.ts';
import { type KeyRingRules, wantedAlgs } from './key-ring.ts';
import type { SigningKeyStore } from './signing-key-store.ts';
import { insertNewKey, keyEntry } from './write-signing-keys.ts';

/** The rules for generating and retiring keys. */
export interface SettleRules extends KeyRingRules {
  /** Milliseconds for which a key of another algorithm is published before it signs. */
  readonly lead: number;
}

/**
 * Generates or restores a key for every wanted algorithm that has none, and retires the keys of other algorithms. The
 * first keys of a database sign at once: no verifier keeps an older JWKS.
 *
 * @returns the audit entries; empty: nothing has changed
 */
export async function settleSigningKeys(
  store: SigningKeyStore,
  holder: KeyHolder,
  { signingAlg, profile, keptFor, lead, now }: SettleRules,
): Promise<AuditEntry[]> {
  await store.lock();
  const stored = await store.list();
  const wanted = wantedAlgs({ signingAlg, profile }, await store.named());
  const audit: AuditEntry[] = [];
  const ahead = new Date(now.getTime() + (stored.length === 0 ? 0 : lead));

  for (const alg of wanted) {
    if (stored.some((key) => key.alg === alg && key.retiredAt === undefined)) continue;
    const retired = stored.findLast((key) => key.alg === alg);
    if (retired?.retiredAt === undefined) {
      const key = await insertNewKey(store, holder, alg, { createdAt: now, signsFrom: ahead });
      audit.push(keyEntry('signing_key.created', key, { signsFrom: ahead }));
      continue;
    }
    // A retired key that is still published may sign at once: verifiers know it.
    const signsFrom = isGone(retired, { keptFor, now }) ? ahead : retired.signsFrom;
    await store.update({ kid: retired.kid, signsFrom, retiredAt: undefined });
    audit.push(keyEntry('signing_key.restored', retired, { signsFrom }));
  }
  for (const key of stored) {
    if (key.retiredAt !== undefined || wanted.includes(key.alg)) continue;
    await store.update({ ...key, retiredAt: now });
    audit.push(keyEntry('signing_key.retired', key, { retiredAt: now }));
  }
  return audit;
}
