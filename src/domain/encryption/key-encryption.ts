import { createHash } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, errors } from 'jose';

/** The stored value was encrypted with another key-encryption key, has another label, or was tampered with. */
export class UndecryptableError extends Error {
  override readonly name = 'UndecryptableError';
}

/** Encrypts secrets before they are stored, with the key-encryption key. */
export interface KeyEncryption {
  /**
   * @param label the kind and the owner of the value, such as `signing_keys/abc`; `open` takes the same label only
   * @returns a compact JWE (RFC 7516)
   */
  seal(plaintext: Uint8Array, label: string): Promise<string>;
  /** @throws UndecryptableError */
  open(jwe: string, label: string): Promise<Uint8Array>;
}

/**
 * Encrypts with AES-256-GCM, directly under the key-encryption key. The protected header has the label, so that a row
 * cannot replace another row, and the fingerprint of the key, so that people can tell a wrong key from a damaged row.
 *
 * @param key 32 bytes
 */
export function createKeyEncryption(key: Uint8Array): KeyEncryption {
  const kid = createHash('sha256').update('writ key-encryption key').update(key).digest('base64url').slice(0, 16);
  return {
    seal: (plaintext, label) =>
      new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, label }).encrypt(key),

    async open(jwe, label) {
      try {
        const { plaintext, protectedHeader } = await compactDecrypt(jwe, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        if (protectedHeader['label'] === label) return plaintext;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw new UndecryptableError(
        `${label} cannot be decrypted with this key-encryption key (${kid}): every node needs the key with which the database began`,
      );
    },
  };
}
