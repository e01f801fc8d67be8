import { timingSafeEqual } from 'node:crypto';
import type { CredentialId } from '../ids.ts';

/** How an account proves who it is. */
export interface ClientSecretCredential {
  readonly type: 'client_secret';
  readonly credentialId: CredentialId;
  /** HMAC-SHA-256 of the secret. */
  readonly secretHash: Buffer;
  /** The first characters of the secret, to tell one from another. */
  readonly hint: string;
  readonly createdAt: Date;
}

export type Credential = ClientSecretCredential;

/** Finds the credential that a presented secret belongs to; every one is compared, in constant time. */
export function findBySecretHash(
  credentials: readonly Credential[],
  presented: Buffer,
): ClientSecretCredential | undefined {
  let found: ClientSecretCredential | undefined;
  for (const credential of credentials) {
    if (timingSafeEqual(credential.secretHash, presented)) found = credential;
  }
  return found;
}
