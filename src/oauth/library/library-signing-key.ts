import { createPublicKey, type KeyObject } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKey } from '../../domain/signing-keys/signing-key.ts';

/**
 * The version of the library's support for external keys that this file was written for; the library refuses another.
 */
export const EXTERNAL_SIGNING = { enabled: true, ack: 'experimental-01' } as const;

/** A signing key in the form of the library, which gets the public half and asks this object for signatures. */
export class LibrarySigningKey extends ExternalSigningKey {
  readonly #key: SigningKey;
  readonly #publicKey: KeyObject;

  constructor(key: SigningKey) {
    super();
    this.#key = key;
    this.#publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
    Object.assign(this, { kid: key.kid, alg: key.alg });
  }

  override keyObject(): KeyObject {
    return this.#publicKey;
  }

  override sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#key.sign(data);
  }
}
