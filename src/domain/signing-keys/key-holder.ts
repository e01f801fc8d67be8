import type { Sign } from './signers/signer.ts';
import type { StoredSigningKey } from './signing-key-store.ts';
import type { GeneratedKey, SigningAlg } from './signing-key.ts';

/** A signing key as it is stored, without the times of its life. */
export type HeldKey = Pick<StoredSigningKey, 'kid' | 'alg' | 'publicJwk' | 'sealedPrivateJwk'>;

/**
 * Holds the private halves of signing keys. Nothing else touches them, so a key management service can hold them: it
 * answers from each function, and stores the name of a key where this server stores a private half.
 */
export interface KeyHolder {
  /** Generates a key. */
  generate(alg: SigningAlg): Promise<HeldKey>;
  /** Takes a key that was made elsewhere. */
  take(key: GeneratedKey): Promise<HeldKey>;
  /** Makes a stored key ready to sign. @throws UndecryptableError */
  open(key: HeldKey): Promise<Sign>;
}
