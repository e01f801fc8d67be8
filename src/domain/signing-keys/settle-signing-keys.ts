import type { AuditEntry } from '../audit/audit-event.ts';
import type { KeyEncryption } from '../encryption/key-encryption.ts';
import { type KeyRingRules, label, wantedAlgs } from './key-ring.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import { type GeneratedKey, generateSigningKey } from './signing-key.ts';

/** The rules by which keys are made. */
export interface SettleRules extends KeyRingRules {
  /** Milliseconds for which a key is published before it signs: as long as others may keep the JWKS. */
  readonly lead: number;
}

/**
 * Makes a key for every algorithm that is wanted and has none, and retires keys that nothing asks for any more. The
 * first keys of a database sign at once: nobody has kept a JWKS without them.
 *
 * @returns audit entries; none: nothing has changed
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
    // A key that is still published may go on at once.
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
  return { action, target: kid, details, changes: [{ kind: 'keys' }] };
}
