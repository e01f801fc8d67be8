import type { PublicSigningJwk, SigningAlg } from './signing-key.ts';

/** A signing key as it is stored: its private half is a JWE under the key-encryption key. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly publicJwk: PublicSigningJwk;
  readonly sealedPrivateJwk: string;
  readonly createdAt: Date;
  /** The time at which the key begins to sign; the key is published before that time. */
  readonly signsFrom: Date;
  /**
   * The time at which the key was retired; it stays published until its last token has expired. Undefined: it is in
   * use.
   */
  readonly retiredAt: Date | undefined;
}

export interface SigningKeyStore {
  insert(key: StoredSigningKey): Promise<void>;
  update(key: Pick<StoredSigningKey, 'kid' | 'signsFrom' | 'retiredAt'>): Promise<void>;
  /** Every key, oldest first. */
  list(): Promise<StoredSigningKey[]>;
  /** Locks the keys: no other transaction generates or retires keys until this transaction ends. */
  lock(): Promise<void>;
  /** The algorithms that resource servers name. */
  named(): Promise<ReadonlySet<SigningAlg>>;
}
