import type { KeyEncryption } from '../encryption/key-encryption.ts';
import { generateSigningKey, SIGNING_ALGS, type SigningAlg, type SigningKey } from './signing-key.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';

/** The keys that this node signs and verifies with. */
export interface KeyRing {
  readonly keys: readonly SigningKey[];
  /** The key that signs with an algorithm now. */
  readonly active: Readonly<Record<SigningAlg, SigningKey>>;
}

const label = (kid: string): string => `signing_keys/${kid}`;

/**
 * Opens the stored keys, after making one for every algorithm that has none. Runs inside the transaction that prepares
 * the database, so that two nodes never make two.
 *
 * @returns the ring, and the keys that were made now
 * @throws UndecryptableError when the key-encryption key is another one
 */
export async function prepareSigningKeys(
  store: SigningKeyStore,
  encryption: KeyEncryption,
  now: Date,
): Promise<{ keyRing: KeyRing; made: readonly SigningKey[] }> {
  const there = await store.list();
  const missing = SIGNING_ALGS.filter((alg) => !there.some((key) => key.alg === alg));
  const made = await Promise.all(missing.map(generateSigningKey));
  for (const key of made) await store.insert(await sealSigningKey(key, encryption, now));
  // Read back, so that every node has the same keys in the same order and serves the same JWKS.
  const keys = await Promise.all((await store.list()).map((key) => openSigningKey(key, encryption)));
  return { keyRing: ringOf(keys), made };
}

function ringOf(keys: readonly SigningKey[]): KeyRing {
  const newest = (alg: SigningAlg): SigningKey => {
    const key = keys.findLast((candidate) => candidate.alg === alg);
    if (key === undefined) throw new Error(`there is no signing key for ${alg}`);
    return key;
  };
  return {
    keys,
    active: { ES256: newest('ES256'), RS256: newest('RS256'), PS256: newest('PS256'), EdDSA: newest('EdDSA') },
  };
}

async function sealSigningKey(key: SigningKey, encryption: KeyEncryption, createdAt: Date): Promise<StoredSigningKey> {
  const { kid, alg, publicJwk, privateJwk } = key;
  const plaintext = Buffer.from(JSON.stringify(privateJwk));
  return { kid, alg, publicJwk, sealedPrivateJwk: await encryption.seal(plaintext, label(kid)), createdAt };
}

async function openSigningKey(stored: StoredSigningKey, encryption: KeyEncryption): Promise<SigningKey> {
  const { kid, alg, publicJwk, sealedPrivateJwk } = stored;
  const plaintext = await encryption.open(sealedPrivateJwk, label(kid));
  return { kid, alg, publicJwk, privateJwk: JSON.parse(Buffer.from(plaintext).toString()) };
}
