import type { PublicSigningJwk, SigningAlg } from './signing-key.ts';

/** A signing key as it is stored: its private half is a JWE under the key-encryption key. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly publicJwk: PublicSigningJwk;
  readonly sealedPrivateJwk: string;
  readonly createdAt: Date;
}

export interface SigningKeyStore {
  insert(key: StoredSigningKey): Promise<void>;
  /** Every key, oldest first. */
  list(): Promise<StoredSigningKey[]>;
}
