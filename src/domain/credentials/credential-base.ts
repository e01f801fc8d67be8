import type { CredentialId } from '../ids.ts';
import type { StatusEntry } from '../status/status-entry.ts';

/** `ending`: the credential has a successor, and works until it expires. */
export const CREDENTIAL_STATES = ['enabled', 'disabled', 'ending'] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

/** The members of a credential of every kind. */
export interface CredentialBase {
  readonly credentialId: CredentialId;
  /** The name that the owners of the account gave: unique among the credentials of the account that are not ending. */
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly state: CredentialState;
  readonly createdAt: Date;
  /** Undefined: the credential never expires. */
  readonly expiresAt: Date | undefined;
  /** Seconds for which the credential was issued; its successor works for as long. */
  readonly lifetime: number | undefined;
  /** Whether the credential expires only because a policy says so. */
  readonly expiresByPolicy: boolean;
  /** Whether each use gives the credential its lifetime anew. */
  readonly extend: boolean;
  /** Scope-tokens: the part of the account's permissions that the credential may ask for; undefined: all of them. */
  readonly permissions: readonly string[] | undefined;
  /**
   * The first credential of the chain of rotations by the account itself that led to this credential. When an earlier
   * credential of the chain is deleted, this credential is deleted, too.
   */
  readonly rotatedFrom: CredentialId | undefined;
  readonly successor: CredentialId | undefined;
  /**
   * The status entry of the credential. Undefined while the credential can get no token, and in a new credential that
   * has not been read from the database yet.
   */
  readonly status: StatusEntry | undefined;
  /** Counts the changes of the credential. */
  readonly revision: number;
}

/** The members that decide nothing about a token. */
const NAMES_FOR_MANAGEMENT = [
  'name',
  'description',
  'hint',
  'createdAt',
  'rotatedFrom',
  'successor',
  'revision',
] as const;
export const FOR_MANAGEMENT: ReadonlySet<string> = new Set(NAMES_FOR_MANAGEMENT);

/** A credential without the members that decide nothing about a token: a node remembers very many. */
export type Remembered<Credential> = Credential extends unknown
  ? Omit<Credential, (typeof NAMES_FOR_MANAGEMENT)[number]>
  : never;

/** Why a credential does not work at a time; undefined: it works. */
export function whyUnusable(
  { state, expiresAt }: Pick<CredentialBase, 'state' | 'expiresAt'>,
  now: Date,
): 'credential_disabled' | 'credential_expired' | undefined {
  if (state === 'disabled') return 'credential_disabled';
  return hasExpired({ expiresAt }, now) ? 'credential_expired' : undefined;
}

/** Whether a credential has expired, disabled or not. */
export function hasExpired({ expiresAt }: Pick<CredentialBase, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
