import type { ClientSecretCredential } from './kinds/client-secret-kind.ts';

/** Compares two hashes in constant time; `timingSafeEqual`, passed in so that a test can count. */
export type SameHash = (one: Buffer, other: Buffer) => boolean;

/** Finds the secret that a presented one is, by its hash; every one is compared. */
export function findSecret(
  secrets: readonly ClientSecretCredential[],
  presented: Buffer,
  same: SameHash,
): ClientSecretCredential | undefined {
  let found: ClientSecretCredential | undefined;
  for (const secret of secrets) if (same(secret.secretHash, presented)) found = secret;
  return found;
}
