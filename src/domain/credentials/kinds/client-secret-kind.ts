import { formatSecret, secretHint } from '../client-secret.ts';
import type { CredentialBase } from '../credential-base.ts';
import { type CredentialKind, type CredentialTools, type Issued, present } from './kind.ts';
import { assertNothing } from './rotation-key.ts';

/** A secret that the account shares with this server; the server keeps its hash. */
export interface ClientSecretCredential extends CredentialBase {
  readonly type: 'client_secret';
  /** HMAC-SHA-256 of the secret. */
  readonly secretHash: Buffer;
  /** The first characters of the secret, by which people tell one secret from another. */
  readonly hint: string;
}

/** A client secret that is asked for; the server generates the secret, the caller never chooses it. */
export interface WantedClientSecret {
  readonly type: 'client_secret';
}

export const clientSecretKind: CredentialKind<ClientSecretCredential, WantedClientSecret, WantedClientSecret> = {
  noun: 'client secret',
  most: 100,
  maxAge: 'secretMaxAge',
  letsRootIn: true,
  authMethod: 'client_secret_basic',
  secretAlias: undefined,
  takes: {},
  changes: [],

  wanted: () => ({ type: 'client_secret' }),
  bind: (wanted) => Promise.resolve(wanted),
  issue: (_wanted, base, tools) => Promise.resolve(clientSecretFrom(base, tools)),
  successor(_old, replacement) {
    assertNothing(replacement);
    return { type: 'client_secret' };
  },
  keepReferences: () => Promise.resolve(true),
  change: (before) => before,
  widens: () => false,
  endsByItself: () => undefined,
  onlyAt: () => undefined,
  answered: ({ hint }) => ({ hint }),
  audited: ({ hint }) => ({ hint }),
  stored: ({ secretHash, hint }) => ({ secretHash, hint }),
  restored: (base, { secretHash, hint }) => ({
    ...base,
    type: 'client_secret',
    secretHash: present(secretHash, 'secret hash', base),
    hint: present(hint, 'hint', base),
  }),
};

/**
 * Creates a client secret.
 *
 * @param given a secret that the operator fixed, for the first root account only; undefined: the secret is generated
 */
export function clientSecretFrom(
  base: CredentialBase,
  { hashSecret, randomBytes }: Pick<CredentialTools, 'hashSecret' | 'randomBytes'>,
  given?: string,
): Issued<ClientSecretCredential> & { readonly secret: string } {
  const secret = given ?? formatSecret('client_secret', randomBytes(32));
  return {
    secret,
    credential: { ...base, type: 'client_secret', secretHash: hashSecret(secret), hint: secretHint(secret) },
  };
}
