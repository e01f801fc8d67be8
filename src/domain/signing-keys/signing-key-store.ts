import type { PublicSigningJwk, SigningAlg } from './signing-key.ts';

/** A signing key as it is stored: its private half is a JWE under the key-encryption key. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly publicJwk: PublicSigningJwk;
  readonly sealedPrivateJwk: string;
  readonly createdAt: Date;
  /** When it begins to sign: it is published before that. */
  readonly signsFrom: Date;
  /** Since when nothing asks for its algorithm; it stays published until the last token that it signed has expired. */
  readonly retiredAt: Date | undefined;
}

export interface SigningKeyStore {
  insert(key: StoredSigningKey): Promise<void>;
  update(key: Pick<StoredSigningKey, 'kid' | 'signsFrom' | 'retiredAt'>): Promise<void>;
  /** Every key, oldest first. */
  list(): Promise<StoredSigningKey[]>;
  /** Nobody else makes or retires keys until the end of the transaction. */
  lock(): Promise<void>;
  /** The algorithms that resource servers name. */
  named(): Promise<ReadonlySet<SigningAlg>>;
}
