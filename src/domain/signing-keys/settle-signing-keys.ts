import type { AuditEntry } from '../audit/audit-event.ts';
import type { KeyEncryption } from '../encryption/key-encryption.ts';
import { type KeyRingRules, label, wantedAlgs } from './key-ring.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import { type GeneratedKey, generateSigningKey } from './signing-key.ts';

/** The rules for generating and retiring keys. */
export interface SettleRules extends KeyRingRules {
  /** Milliseconds for which a key is published before it signs: verifiers may keep an older JWKS for a while. */
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
  encryption: KeyEncryption,
  { signingAlg, keptFor, lead, now }: SettleRules,
): Promise<AuditEntry[]> {
  await store.lock();
  const stored = await store.list();
  const wanted = wantedAlgs(signingAlg, await store.named());
  const audit: AuditEntry[] = [];
  const ahead = new Date(now.getTime() + (stored.length === 0 ? 0 : lead));

  for (const alg of wanted) {
    if (stored.some((key) => key.alg === alg && key.retiredAt === undefined)) continue;
    const retired = stored.findLast((key) => key.alg === alg);
    if (retired?.retiredAt === undefined) {
      const key = await generateSigningKey(alg);
      await store.insert(await sealed(key, encryption, now, ahead));
      audit.push(entry('signing_key.created', key, ahead));
      continue;
    }
    // A retired key that is still published may sign at once: verifiers know it.
    const signsFrom = retired.retiredAt.getTime() + keptFor > now.getTime() ? retired.signsFrom : ahead;
    await store.update({ kid: retired.kid, signsFrom, retiredAt: undefined });
    audit.push(entry('signing_key.restored', retired, signsFrom));
  }
  for (const key of stored) {
    if (key.retiredAt !== undefined || wanted.includes(key.alg)) continue;
    await store.update({ ...key, retiredAt: now });
    audit.push(entry('signing_key.retired', key, undefined));
  }
  return audit;
}

async function sealed(
  { kid, alg, publicJwk, privateJwk }: GeneratedKey,
  encryption: KeyEncryption,
  createdAt: Date,
  signsFrom: Date,
): Promise<StoredSigningKey> {
  const plaintext = Buffer.from(JSON.stringify(privateJwk));
  const sealedPrivateJwk = await encryption.seal(plaintext, label(kid));
  return { kid, alg, publicJwk, sealedPrivateJwk, createdAt, signsFrom, retiredAt: undefined };
}

function entry(
  action: AuditEntry['action'],
  { kid, alg }: Pick<StoredSigningKey, 'kid' | 'alg'>,
  signsFrom: Date | undefined,
): AuditEntry {
  const details = { alg, ...(signsFrom !== undefined && { signsFrom: signsFrom.toISOString() }) };
  return { action, target: kid, details, announces: [{ kind: 'keys' }] };
}
