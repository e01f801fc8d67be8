import type { AuditEntry } from '../audit/audit-event.ts';
import type { KeyHolder } from './key-holder.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import type { SigningAlg } from './signing-key.ts';

/** Generates a key, and stores it. */
export async function insertNewKey(
  store: Pick<SigningKeyStore, 'insert'>,
  holder: KeyHolder,
  alg: SigningAlg,
  times: Pick<StoredSigningKey, 'createdAt' | 'signsFrom'>,
): Promise<StoredSigningKey> {
  const key = { ...(await holder.generate(alg)), ...times, retiredAt: undefined };
  await store.insert(key);
  return key;
}

/**
 * Lets the keys of one algorithm cease to sign when another one begins.
 *
 * @param keys keys of every algorithm
 */
export async function retireFor(
  store: Pick<SigningKeyStore, 'update'>,
  keys: readonly StoredSigningKey[],
  successor: Pick<StoredSigningKey, 'kid' | 'alg' | 'signsFrom'>,
): Promise<AuditEntry[]> {
  const { kid, alg, signsFrom: retiredAt } = successor;
  const audit: AuditEntry[] = [];
  for (const key of keys) {
    const ends = key.retiredAt?.getTime() ?? Infinity;
    if (key.alg !== alg || key.kid === kid || ends <= retiredAt.getTime()) continue;
    await store.update({ ...key, retiredAt });
    audit.push(keyEntry('signing_key.retired', key, { retiredAt, successor: kid }));
  }
  return audit;
}

/** Describes a change of a signing key for the audit. */
export function keyEntry(
  action: AuditEntry['action'],
  { kid, alg }: Pick<StoredSigningKey, 'kid' | 'alg'>,
  times: Readonly<Record<string, Date | string>>,
): AuditEntry {
  const details = Object.entries(times).map(([name, at]) => [name, at instanceof Date ? at.toISOString() : at]);
  return { action, target: kid, details: { alg, ...Object.fromEntries(details) }, announces: [{ kind: 'keys' }] };
}
