import type { ClientId, CompanyId, CredentialId } from '../ids.ts';

/** Why a client was not authenticated; a closed list. A check that an assertion failed stands there as `assertion_{check}`. */
export const AUTHENTICATION_FAILURES = [
  'no_client_authentication',
  'account_unknown',
  'account_disabled',
  'credential_disabled',
  'credential_expired',
  'secret_wrong',
  'secret_mistyped',
  'assertion_malformed',
  'assertion_key_unknown',
  'assertion_signature',
  'assertion_type',
  'assertion_issuer',
  'assertion_audience',
  'assertion_expiry',
  'assertion_lifetime',
  'assertion_issued_at',
  'assertion_not_before',
  'assertion_jti',
  'assertion_replay',
  'assertion_time',
] as const;
export type AuthenticationFailure = (typeof AUTHENTICATION_FAILURES)[number];

/**
 * Why a client was refused: it was not authenticated, or what the RFCs have a code for (6749 §5.2, 6750 §3.1, 7009 §2.2.1,
 * 8707 §2), or it had failed too often, or this server could not do its work.
 */
export const REFUSAL_REASONS = [
  ...AUTHENTICATION_FAILURES,
  'invalid_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'unsupported_token_type',
  'invalid_token',
  'insufficient_scope',
  'too_many_attempts',
  'temporarily_unavailable',
  'server_error',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Where clients authenticate. */
export const CLIENT_ENDPOINTS = ['token', 'introspection', 'revocation'] as const;
export type ClientEndpoint = (typeof CLIENT_ENDPOINTS)[number];

/** Where anybody may be refused; `oauth`: elsewhere below `/oauth`. */
export const OAUTH_ENDPOINTS = [...CLIENT_ENDPOINTS, 'tokeninfo', 'authorization', 'oauth'] as const;
export type OAuthEndpoint = (typeof OAUTH_ENDPOINTS)[number];

/** The answer to a client that was refused. */
export interface Told {
  /** Of HTTP. */
  readonly status: number;
  /** `error` and `error_description` (RFC 6749 §5.2). */
  readonly error: string;
  readonly description: string;
}

/** One request that was refused. Nothing in it is a secret, or an assertion. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly occurredAt: Date;
  readonly endpoint: OAuthEndpoint;
  /** Undefined where that was not recorded. */
  readonly told: Told | undefined;
  /** The address that it came from. */
  readonly source: string;
  /** The credential that it was made with, or claims to be. */
  readonly credentialId: CredentialId | undefined;
  /** What was wrong and by how much. */
  readonly detail: string | undefined;
}

/** How many requests of a row are known one by one. */
export const MOST_RECENT = 20;

/**
 * Refusals of one client, for one reason, from one source: a row, however many there are. Where there would be too many
 * rows, they are of many sources, or of many clients.
 */
export interface Refusals {
  /** The client that they name; undefined: none, or many. */
  readonly clientId: ClientId | undefined;
  readonly reason: RefusalReason;
  /** Undefined: many. */
  readonly source: string | undefined;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** Newest first, at most {@link MOST_RECENT}. */
  readonly recent: readonly RefusedRequest[];
}

/** A row as it is kept. */
export interface RecordedRefusals extends Omit<Refusals, 'clientId'> {
  readonly refusalId: string;
  /** Of an id that nobody has just the beginning: somebody may have sent their secret in its place. */
  readonly clientId: string | undefined;
  /** Whether there is such an account. */
  readonly known: boolean;
  /** The company of the account. */
  readonly company: CompanyId | undefined;
}

/**
 * Notes that a client was refused; takes no time.
 *
 * @param found whether it names an account that there is, as far as this node knows without asking
 */
export type NoteRefusal = (
  refusal: { readonly clientId: ClientId | undefined; readonly found: boolean; readonly reason: RefusalReason } & Omit<
    RefusedRequest,
    'occurredAt'
  >,
) => void;
