import { createHmac } from 'node:crypto';

/** Hashes a client secret or an API key. The 32 bytes are stored and compared. */
export type SecretHasher = (secret: string) => Buffer;

/**
 * Hashes with HMAC-SHA-256 under a key of the server. Secrets have 256 random bits, so a slow hash would only add cost
 * (OWASP ASVS 6.5.2). Without the key, a copy of the table does not help to recognize a secret.
 */
export function createSecretHasher(key: Uint8Array): SecretHasher {
  return (secret) => createHmac('sha256', key).update(secret).digest();
}
