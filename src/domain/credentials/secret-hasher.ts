import { createHmac } from 'node:crypto';

/** Turns a client secret into what is stored and compared: 32 bytes. */
export type SecretHasher = (secret: string) => Buffer;

/**
 * HMAC-SHA-256 under a key of the server. Client secrets are 256 random bits, so a slow hash would add nothing but
 * cost (OWASP ASVS 6.5.2); the key makes a copy of the table useless for recognising a secret.
 */
export function createSecretHasher(key: Uint8Array): SecretHasher {
  return (secret) => createHmac('sha256', key).update(secret).digest();
}
