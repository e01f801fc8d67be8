import type { CredentialId } from '../ids.ts';
import type { Audience } from '../resource-servers/resource-server.ts';
import type { StatusEntry } from '../status/status-entry.ts';
import type { PublicJwk } from './public-key.ts';

/** `ending`: it has a successor, and works until it expires. */
export const CREDENTIAL_STATES = ['enabled', 'disabled', 'ending'] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

interface CredentialBase {
  readonly credentialId: CredentialId;
  /** What its owners call it: unique among those of the account that are not ending. */
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly state: CredentialState;
  readonly createdAt: Date;
  /** When it stops working. */
  readonly expiresAt: Date | undefined;
  /** For how long it was given, in seconds; its successor is for as long. */
  readonly lifetime: number | undefined;
  /** Whether it expires because a policy says so, and nobody else. */
  readonly expiresByPolicy: boolean;
  /** Whether each use gives it its lifetime anew. */
  readonly extend: boolean;
  /** Scope-tokens: all that it may ask for, of what its account holds; undefined: everything. */
  readonly permissions: readonly string[] | undefined;
  /**
   * The first of those that the account itself rotated, one after the other, to get it: it goes when that, or another of
   * them that came before it, is deleted.
   */
  readonly rotatedFrom: CredentialId | undefined;
  /** What took its place. */
  readonly successor: CredentialId | undefined;
  /** Where its tokens stand in the status lists; undefined while it cannot get any, and until it is read back. */
  readonly status: StatusEntry | undefined;
  /** Counts its changes. */
  readonly revision: number;
}

/** A secret that the account shares with this server; what is kept is its hash. */
export interface ClientSecretCredential extends CredentialBase {
  readonly type: 'client_secret';
  /** HMAC-SHA-256 of the secret. */
  readonly secretHash: Buffer;
  /** The first characters of the secret, to tell one from another. */
  readonly hint: string;
}

/** A secret for tools that can only send one fixed string: good at one resource server, and for nothing else. */
export interface ApiKeyCredential extends CredentialBase {
  readonly type: 'api_key';
  /** HMAC-SHA-256 of the key. */
  readonly secretHash: Buffer;
  readonly hint: string;
  /** Who may ask about it, and what a token is for that it is exchanged for. */
  readonly audience: Audience;
}

/** A key pair whose private half only the account has; it signs client assertions (RFC 7523). */
export interface PublicKeyCredential extends CredentialBase {
  readonly type: 'public_key';
  /** Unique in the account. */
  readonly kid: string;
  readonly publicKey: PublicJwk;
  /** Values of `aud` that its assertions may have beside the issuer. */
  readonly assertionAudiences: readonly string[];
  /** The longest lifetime of its assertions in seconds, where it is not the server's. */
  readonly assertionMaxTtl: number | undefined;
}

/** How an account proves who it is; it may have several, of every kind. */
export type Credential = ClientSecretCredential | PublicKeyCredential | ApiKeyCredential;

/** Every kind of credential. */
export const CREDENTIAL_TYPES = ['client_secret', 'public_key', 'api_key'] as const satisfies Credential['type'][];

/** Why a credential does not work now; undefined: it does. */
export function whyUnusable(
  { state, expiresAt }: Pick<Credential, 'state' | 'expiresAt'>,
  now: Date,
): 'credential_disabled' | 'credential_expired' | undefined {
  if (state === 'disabled') return 'credential_disabled';
  return hasExpired({ expiresAt }, now) ? 'credential_expired' : undefined;
}

/** Whether a credential has come to its end, disabled or not. */
export function hasExpired({ expiresAt }: Pick<Credential, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** When the first of some credentials expires, of those that are enabled and have not expired. */
export function nextExpiryOf(credentials: readonly Credential[], now: Date): Date | undefined {
  return credentials
    .filter((credential) => credential.state === 'enabled' && !hasExpired(credential, now))
    .flatMap(({ expiresAt }) => expiresAt ?? [])
    .toSorted((one, other) => one.getTime() - other.getTime())[0];
}

/** Short-lived ones are warned of in the last part of their life only. */
const PART = 3;

/**
 * Whether its client should be told that a credential expires: it has a successor, or is near its end.
 *
 * @param warning seconds before the end, or a third of its lifetime where that is less
 */
export function warns(
  { state, expiresAt, lifetime = Infinity, extend }: Credential,
  now: Date,
  warning: number,
): boolean {
  if (expiresAt === undefined || (extend && state === 'enabled')) return false;
  return state === 'ending' || expiresAt.getTime() - now.getTime() <= Math.min(warning, lifetime / PART) * 1000;
}
