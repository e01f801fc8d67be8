import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { AuditEntry } from '../audit/audit-event.ts';
import { parsePublicKey } from '../credentials/public-key.ts';
import { DomainError } from '../domain-error.ts';
import type { KeyHolder } from './key-holder.ts';
import type { SettleRules } from './settle-signing-keys.ts';
import type { SigningKeyStore } from './signing-key-store.ts';
import { type GeneratedKey, SIGNING_ALGS, type SigningAlg, signingKeyFrom } from './signing-key.ts';
import { keyEntry, retireFor } from './write-signing-keys.ts';

/** A file with the private half of a signing key that another server made. */
export interface SigningKeyFile {
  readonly path: string;
  /** The name of the file without its ending: `KID`, or `KID.ALG` where the key could sign with several algorithms. */
  readonly name: string;
  readonly pem: string;
}

/** A file of a signing key cannot be used. `message` tells the operator what to do. */
export class SigningKeyFileError extends Error {
  override readonly name = 'SigningKeyFileError';
}

const KID = /^[\w-]{1,128}$/;

/**
 * Reads a key that is to be imported. Its `kid` stays: tokens of the other server name it.
 *
 * @throws SigningKeyFileError
 */
export async function readKeyToImport({ path, name, pem }: SigningKeyFile): Promise<GeneratedKey> {
  const wrong = (what: string): Error => new SigningKeyFileError(`${path} ${what}`);
  const [, kid = name, named] = /^(.*)\.([^.]+)$/.exec(name) ?? [];
  if (!KID.test(kid)) throw wrong('must be named KID.pem or KID.ALG.pem, with letters, digits, _ and - in KID');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw wrong('holds no private key in PEM without a passphrase');
  }
  const algs = algsOf(key);
  const alg = named === undefined ? algs[0] : SIGNING_ALGS.find((one) => one === named);
  if (alg === undefined || !algs.includes(alg)) {
    throw wrong(`holds a key that cannot sign with ${named ?? SIGNING_ALGS.join(', ')}`);
  }
  try {
    await parsePublicKey(createPublicKey(key).export({ format: 'jwk' }), '');
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw wrong(`holds a key that must not be used: ${error.fields.map(({ message }) => message).join(', ')}`);
  }
  return signingKeyFrom(alg, key, kid);
}

function algsOf(key: KeyObject): readonly SigningAlg[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return ['RS256', 'PS256'];
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256'];
  return type === 'ed25519' ? ['EdDSA'] : [];
}

/**
 * Imports keys that this server has never had. The last key of each algorithm signs: at once in a new database, and
 * otherwise when every verifier can know it. Earlier ones are published only, for tokens that the other server signed.
 *
 * @param keys in the order in which they were made
 */
export async function importSigningKeys(
  store: SigningKeyStore,
  holder: KeyHolder,
  keys: readonly GeneratedKey[],
  { now, lead }: SettleRules,
): Promise<AuditEntry[]> {
  await store.lock();
  const stored = await store.list();
  const added = keys.filter(({ kid }) => stored.every((key) => key.kid !== kid));
  const signsFrom = new Date(now.getTime() + (stored.length === 0 ? 0 : lead));
  const audit: AuditEntry[] = [];
  for (const key of added) {
    const signs = added.findLast(({ alg }) => alg === key.alg) === key;
    const times = signs ? { signsFrom, retiredAt: undefined } : { signsFrom: now, retiredAt: now };
    await store.insert({ ...(await holder.take(key)), createdAt: now, ...times });
    audit.push(keyEntry('signing_key.imported', key, signs ? { signsFrom } : { retiredAt: now }));
    if (signs) audit.push(...(await retireFor(store, stored, { ...key, signsFrom })));
  }
  return audit;
}
