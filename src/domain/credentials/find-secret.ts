import type { ClientSecretCredential, Credential } from './credential.ts';

/** Compares two hashes in constant time; `timingSafeEqual`, passed in so that a test can count. */
export type SameHash = (one: Buffer, other: Buffer) => boolean;

/** Finds the secret that a presented one is, by its hash; every one is compared. */
export function findSecret(
  credentials: readonly Credential[],
  presented: Buffer,
  same: SameHash,
): ClientSecretCredential | undefined {
  let found: ClientSecretCredential | undefined;
  for (const credential of credentials) {
    if (credential.type === 'client_secret' && same(credential.secretHash, presented)) found = credential;
  }
  return found;
}
