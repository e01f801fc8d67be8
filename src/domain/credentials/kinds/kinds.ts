import { type Credential, CREDENTIAL_TYPES, type CredentialType } from '../credential.ts';
import { type BoundCertificate, certificateKind, type WantedCertificate } from './certificate-kind.ts';
import { apiKeyKind, type BoundApiKey, type WantedApiKey } from './api-key-kind.ts';
import { clientSecretKind, type WantedClientSecret } from './client-secret-kind.ts';
import type { CredentialKind, TakenMembers } from './kind.ts';
import { type BoundFederated, federatedKind, type WantedFederated } from './federated-kind.ts';
import { publicKeyKind, type WantedPublicKey } from './public-key-kind.ts';

interface WantedOf {
  client_secret: WantedClientSecret;
  public_key: WantedPublicKey;
  federated: WantedFederated;
  certificate: WantedCertificate;
  api_key: WantedApiKey;
}

interface BoundOf {
  client_secret: WantedClientSecret;
  public_key: WantedPublicKey;
  federated: BoundFederated;
  certificate: BoundCertificate;
  api_key: BoundApiKey;
}

/** A credential that is asked for, as far as its kind goes. */
export type WantedOfKind = WantedOf[CredentialType];

/** A credential that is asked for, when every resource server that it names has been found. */
export type BoundOfKind = BoundOf[CredentialType];

/** Any kind of credential. */
export type AnyKind = CredentialKind<Credential, WantedOfKind, BoundOfKind>;

/** Every kind of credential, by its type. */
export const KINDS: Readonly<Record<CredentialType, AnyKind>> = {
  client_secret: clientSecretKind,
  public_key: publicKeyKind,
  federated: federatedKind,
  certificate: certificateKind,
  api_key: apiKeyKind,
} satisfies {
  [Type in CredentialType]: CredentialKind<Extract<Credential, { type: Type }>, WantedOf[Type], BoundOf[Type]>;
};

/** The kind of a credential. */
export function kindOf({ type }: { readonly type: CredentialType }): AnyKind {
  return KINDS[type];
}

/** The kinds that take a member of a request, in words: `a public key`. */
export function kindsThatTake(member: keyof TakenMembers): string {
  return CREDENTIAL_TYPES.filter((type) => KINDS[type].takes[member] !== undefined)
    .map((type) => withArticle(KINDS[type]))
    .join(' or ');
}

/** The name of a kind with its article: `an API key`. */
export function withArticle({ noun }: Pick<AnyKind, 'noun'>): string {
  return `${/^[AEIOU]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/**
 * How an account authenticates as a client, by the first kind of its credentials that says so; undefined: it cannot.
 */
export function authMethodOf(types: readonly CredentialType[]): AnyKind['authMethod'] {
  const first = CREDENTIAL_TYPES.find((type) => types.includes(type) && KINDS[type].authMethod !== undefined);
  return first && KINDS[first].authMethod;
}
