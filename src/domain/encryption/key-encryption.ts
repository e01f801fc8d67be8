import { createHash } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, errors } from 'jose';

/** The stored value was encrypted with another key-encryption key, has another label, or was tampered with. */
export class UndecryptableError extends Error {
  override readonly name = 'UndecryptableError';
}

/** Encrypts secrets before they are stored, with the newest key-encryption key. */
export interface KeyEncryption {
  /**
   * @param label the kind and the owner of the value, such as `signing_keys/abc`; `open` takes the same label only
   * @returns a compact JWE (RFC 7516)
   */
  seal(plaintext: Uint8Array, label: string): Promise<string>;
  /** @throws UndecryptableError */
  open(jwe: string, label: string): Promise<Uint8Array>;
  /** Whether a value says that it was encrypted with the newest key. */
  isNewest(jwe: string): boolean;
}

/**
 * Encrypts with AES-256-GCM, directly under a key-encryption key. The protected header has the label, so that a row
 * cannot replace another row, and the fingerprint of the key, by which the right one of several keys is found.
 *
 * @param newest 32 bytes: encrypts, and decrypts
 * @param older they decrypt only, until everything has been encrypted anew
 */
export function createKeyEncryption(newest: Uint8Array, ...older: readonly Uint8Array[]): KeyEncryption {
  const keys = new Map([newest, ...older].map((key) => [fingerprint(key), key] as const));
  const kid = fingerprint(newest);
  return {
    seal: (plaintext, label) =>
      new CompactEncrypt(plaintext).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid, label }).encrypt(newest),

    async open(jwe, label) {
      const named = namedKey(jwe);
      try {
        const { plaintext, protectedHeader } = await compactDecrypt(jwe, keys.get(named) ?? newest, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        if (protectedHeader['label'] === label) return plaintext;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
      throw new UndecryptableError(
        `${label} cannot be decrypted with this key-encryption key (${[...keys.keys()].join(', ')}): it was encrypted with ${named}, which every node needs`,
      );
    },

    isNewest: (jwe) => namedKey(jwe) === kid,
  };
}

function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update('writ key-encryption key').update(key).digest('base64url').slice(0, 16);
}

/** The fingerprint of the key with which a value says that it was encrypted. */
function namedKey(jwe: string): string {
  try {
    return String(decodeProtectedHeader(jwe).kid);
  } catch {
    return 'another key';
  }
}
