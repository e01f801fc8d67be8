import { newCredentialId, type RandomId } from '../ids.ts';
import { formatClientSecret, secretHint } from './client-secret.ts';
import type { ClientSecretCredential } from './credential.ts';
import type { SecretHasher } from './secret-hasher.ts';

/** What making credentials takes. */
export interface CredentialTools {
  readonly hashSecret: SecretHasher;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly randomId: RandomId;
}

/** A new credential together with the secret, which exists nowhere else and is shown once. */
export interface IssuedClientSecret {
  readonly credential: ClientSecretCredential;
  readonly clientSecret: string;
}

/**
 * Makes a client secret credential.
 *
 * @param given a secret fixed from outside, for the first root account only
 */
export function issueClientSecret(tools: CredentialTools, now: Date, given?: string): IssuedClientSecret {
  const clientSecret = given ?? formatClientSecret(tools.randomBytes(32));
  return {
    clientSecret,
    credential: {
      type: 'client_secret',
      credentialId: newCredentialId(tools.randomId),
      secretHash: tools.hashSecret(clientSecret),
      hint: secretHint(clientSecret),
      createdAt: now,
    },
  };
}
