import type { RememberedOf } from './credential.ts';

type Secret = RememberedOf<'client_secret'>;

/** Compares two hashes in constant time. It is `timingSafeEqual`; tests pass in another function that counts. */
export type SameHash = (one: Buffer, other: Buffer) => boolean;

/**
 * Finds a client secret by its hash. It compares the hash with every secret: the time must not reveal which one fits.
 */
export function findSecret(secrets: readonly Secret[], presented: Buffer, same: SameHash): Secret | undefined {
  let found: Secret | undefined;
  for (const secret of secrets) if (same(secret.secretHash, presented)) found = secret;
  return found;
}
