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
   * The time at which the key ceases to sign, which may be still to come; it stays published until its last token has
   * expired. Undefined: it is in use, or will be.
   */
  readonly retiredAt: Date | undefined;
}

export interface SigningKeyStore {
  insert(key: StoredSigningKey): Promise<void>;
  update(key: Pick<StoredSigningKey, 'kid' | 'signsFrom' | 'retiredAt'>): Promise<void>;
  /** Replaces the encrypted private half of a key. */
  reseal(key: Pick<StoredSigningKey, 'kid' | 'sealedPrivateJwk'>): Promise<void>;
  delete(kid: string): Promise<void>;
  /** Deletes the keys that were retired before a time. @returns how many */
  deleteRetired(before: Date): Promise<number>;
  /** Every key, oldest first. */
  list(): Promise<StoredSigningKey[]>;
  /** Locks the keys: no other transaction generates or retires keys until this transaction ends. */
  lock(): Promise<void>;
  /** The algorithms that resource servers name. */
  named(): Promise<ReadonlySet<SigningAlg>>;
}
