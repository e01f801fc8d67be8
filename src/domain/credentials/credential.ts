import { type CredentialBase, FOR_MANAGEMENT, hasExpired, type Remembered } from './credential-base.ts';
import type { CertificateCredential } from './kinds/certificate-kind.ts';
import type { ApiKeyCredential } from './kinds/api-key-kind.ts';
import type { ClientSecretCredential } from './kinds/client-secret-kind.ts';
import type { FederatedCredential } from './kinds/federated-kind.ts';
import type { PublicKeyCredential } from './kinds/public-key-kind.ts';

/** Every type of credential, in the order in which answers name them. */
export const CREDENTIAL_TYPES = ['client_secret', 'public_key', 'federated', 'certificate', 'api_key'] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

interface CredentialOf {
  client_secret: ClientSecretCredential;
  public_key: PublicKeyCredential;
  federated: FederatedCredential;
  certificate: CertificateCredential;
  api_key: ApiKeyCredential;
}

/** The way in which an account proves who it is; an account may have several credentials of every kind. */
export type Credential = CredentialOf[CredentialType];

/** A credential of one type as a node remembers it. Introspection shows when an API key was made. */
export type RememberedOf<Type extends CredentialType> = Remembered<CredentialOf[Type]> &
  (Type extends 'api_key' ? Pick<ApiKeyCredential, 'createdAt'> : unknown);

/** A credential as a node remembers it, without the members that decide nothing about a token. */
export type RememberedCredential = { [Type in CredentialType]: RememberedOf<Type> }[CredentialType];

/** Leaves out of a credential the members that a node does not remember. */
export function rememberedCredential(credential: Credential): RememberedCredential {
  const isKept = (member: string): boolean =>
    !FOR_MANAGEMENT.has(member) || (member === 'createdAt' && credential.type === 'api_key');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type has all members but these
  return Object.fromEntries(Object.entries(credential).filter(([member]) => isKept(member))) as RememberedCredential;
}

/** The earliest expiry among the enabled credentials that have not expired. */
export function nextExpiryOf(credentials: readonly CredentialBase[], now: Date): Date | undefined {
  return credentials
    .filter((credential) => credential.state === 'enabled' && !hasExpired(credential, now))
    .flatMap(({ expiresAt }) => expiresAt ?? [])
    .toSorted((one, other) => one.getTime() - other.getTime())[0];
}

/** The warning of a short-lived credential begins in the last third of its lifetime. */
const PART = 3;

/**
 * Whether a client should be told that its credential expires: the credential has a successor, or expires soon and is
 * not extended by use.
 *
 * @param warning seconds before the end; a third of the lifetime holds instead if it is less
 */
export function warns(
  {
    state,
    expiresAt,
    lifetime = Infinity,
    extend,
  }: Pick<CredentialBase, 'state' | 'expiresAt' | 'lifetime' | 'extend'>,
  now: Date,
  warning: number,
): boolean {
  if (expiresAt === undefined || (extend && state === 'enabled')) return false;
  return state === 'ending' || expiresAt.getTime() - now.getTime() <= Math.min(warning, lifetime / PART) * 1000;
}
