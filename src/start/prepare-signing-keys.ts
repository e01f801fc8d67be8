import type { Config } from '../config/parse-config.ts';
import type { AuditReader } from '../domain/audit/audit-event.ts';
import { VERIFIERS_BEHIND } from '../domain/clock.ts';
import type { KeyEncryption } from '../domain/encryption/key-encryption.ts';
import { prepareServerSecrets, type ServerSecrets } from '../domain/encryption/server-secrets.ts';
import {
  importSigningKeys,
  readKeyToImport,
  type SigningKeyFile,
  SigningKeyFileError,
} from '../domain/signing-keys/import-signing-keys.ts';
import { JWKS_MAX_AGE } from '../domain/signing-keys/jwks-max-age.ts';
import { type KeyRing, readKeyRing } from '../domain/signing-keys/key-ring.ts';
import { type SettleRules, settleSigningKeys } from '../domain/signing-keys/settle-signing-keys.ts';
import type { KeyHolder } from '../domain/signing-keys/key-holder.ts';
import type { GeneratedKey } from '../domain/signing-keys/signing-key.ts';
import type { Storage } from '../domain/storage.ts';
import { START } from './origins.ts';
import type { KeyTimes, Surroundings } from './surroundings.ts';

/**
 * Milliseconds for which a key is published before it signs: the time for which a verifier may keep the JWKS, and a
 * minute in which every node hears of the key.
 */
const KEY_LEAD = JWKS_MAX_AGE * 1000 + 60_000;

/** Milliseconds for which a key by the schedule is published before it signs. */
const SCHEDULED_LEAD = 86_400_000;

/** Milliseconds for which a retired key stays published: a node that is cut off may sign with it for a while. */
export function keysKeptFor({ tokenMaxTtl, maxStaleness }: Pick<Config, 'tokenMaxTtl' | 'maxStaleness'>): number {
  return (tokenMaxTtl + maxStaleness) * 1000 + VERIFIERS_BEHIND;
}

/** The times in the life of a signing key. A key by the schedule is published longer: nobody is in a hurry. */
export function keyTimesOf(
  { signingKeyMaxAge }: Pick<Config, 'signingKeyMaxAge'>,
  { keyTimes }: Pick<Surroundings, 'keyTimes'>,
): KeyTimes {
  return keyTimes ?? { every: signingKeyMaxAge * 1000, ahead: SCHEDULED_LEAD, lead: KEY_LEAD };
}

/**
 * The rules for signing keys. Outside production a key of a new algorithm signs at once: no verifier has kept an older
 * JWKS.
 */
export function keyRules(config: Config, surroundings: Surroundings): SettleRules {
  const keyTimes = keyTimesOf(config, surroundings);
  return {
    signingAlg: config.signingAlg,
    profile: config.profile,
    keptFor: keysKeptFor(config),
    lead: config.production ? keyTimes.lead : 0,
    schedule: keyTimes,
    now: surroundings.clock(),
  };
}

/**
 * Reads the keys that are to be imported, once each: a key that was deleted because it leaked must not come back as long
 * as its file lies there.
 *
 * @throws SigningKeyFileError
 */
async function keysToImport(
  files: readonly SigningKeyFile[],
  audit: Pick<AuditReader, 'list'>,
): Promise<readonly GeneratedKey[]> {
  const keys: GeneratedKey[] = [];
  const kids = new Set<string>();
  for (const file of files) {
    const key = await readKeyToImport(file);
    if (kids.has(key.kid)) throw new SigningKeyFileError(`${file.path} has the kid of another file: ${key.kid}`);
    kids.add(key.kid);
    const filter = { action: 'signing_key.imported', target: key.kid } as const;
    const { items } = await audit.list(filter, { limit: 1, after: undefined });
    if (items.length === 0) keys.push(key);
  }
  return keys;
}

/**
 * Adds the secrets and the signing keys that the database lacks, and imports those that lie in the keys folder.
 *
 * @param files the key files, in the order in which they were written
 * @throws UndecryptableError, SigningKeyFileError
 */
export async function prepareKeys(
  storage: Storage,
  encryption: KeyEncryption,
  holder: KeyHolder,
  config: Config,
  surroundings: Surroundings,
  files: readonly SigningKeyFile[],
): Promise<ServerSecrets & { keyRing: KeyRing }> {
  const toImport = await keysToImport(files, storage.auditEvents);
  return storage.writeAlone(START, async ({ serverSecrets, signingKeys }) => {
    const { random } = surroundings;
    const rules = keyRules(config, surroundings);
    const { now } = rules;
    const secrets = await prepareServerSecrets(serverSecrets, encryption, { randomBytes: random.bytes, now });
    const imported = await importSigningKeys(signingKeys, holder, toImport, rules);
    const audit = [...imported, ...(await settleSigningKeys(signingKeys, holder, rules))];
    // The keys are read back, so that every node has them in the same order and serves the same JWKS.
    return { result: { ...secrets, keyRing: await readKeyRing(signingKeys, holder, rules) }, audit };
  });
}
