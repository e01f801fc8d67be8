import type { ClientId, CompanyId, CredentialId } from '../ids.ts';

/** The reasons why a client was not authenticated. A failed check of an assertion has the name `assertion_{check}`. */
export const AUTHENTICATION_FAILURES = [
  'no_client_authentication',
  'method_refused',
  'account_unknown',
  'account_disabled',
  'credential_disabled',
  'credential_expired',
  'secret_wrong',
  'secret_mistyped',
  'assertion_malformed',
  'assertion_key_unknown',
  'assertion_signature',
  'assertion_algorithm',
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
  'certificate_wrong',
  'certificate_issuer',
  'certificate_time',
  'external_malformed',
  'external_issuer',
  'external_keys',
  'external_key_unknown',
  'external_signature',
  'external_type',
  'external_time',
  'external_audience',
  'external_jti',
  'external_claims',
  'external_replay',
] as const;
export type AuthenticationFailure = (typeof AUTHENTICATION_FAILURES)[number];

/**
 * The reasons of refusals: the client was not authenticated, an RFC has an error code for the reason (RFC 6749 §5.2,
 * RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8707 §2), the client had failed too often, or this server could not do its work.
 */
export const REFUSAL_REASONS = [
  ...AUTHENTICATION_FAILURES,
  'invalid_client',
  'invalid_request',
  'invalid_grant',
  'invalid_dpop_proof',
  'use_dpop_nonce',
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

/** The endpoints at which clients authenticate. */
export const CLIENT_ENDPOINTS = ['token', 'introspection', 'revocation'] as const;
export type ClientEndpoint = (typeof CLIENT_ENDPOINTS)[number];

/** The endpoints that record refusals; `oauth`: any other path below `/oauth`. */
export const OAUTH_ENDPOINTS = [...CLIENT_ENDPOINTS, 'tokeninfo', 'authorization', 'oauth'] as const;
export type OAuthEndpoint = (typeof OAUTH_ENDPOINTS)[number];

/** The answer to a refused client. */
export interface Told {
  /** The HTTP status. */
  readonly status: number;
  /** `error` and `error_description` (RFC 6749 §5.2). */
  readonly error: string;
  readonly description: string;
}

/** A refused request. No member contains a secret or an assertion. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly occurredAt: Date;
  readonly endpoint: OAuthEndpoint;
  /** Undefined: the answer was not recorded. */
  readonly told: Told | undefined;
  /** The address that the request came from. */
  readonly source: string;
  /** The credential that the request used or named. */
  readonly credentialId: CredentialId | undefined;
  /** The details of the error, for people. */
  readonly detail: string | undefined;
}

/** The most requests of a row that are recorded one by one. */
export const MOST_RECENT = 20;

/**
 * All refusals of one client, for one reason, from one source: one row. Where there would be too many rows, one row has
 * the refusals of many sources, or of many clients.
 */
export interface Refusals {
  /** The client that the requests name; undefined: they name no client, or many clients. */
  readonly clientId: ClientId | undefined;
  readonly reason: RefusalReason;
  /** Undefined: many sources. */
  readonly source: string | undefined;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** Newest first, at most {@link MOST_RECENT}. */
  readonly recent: readonly RefusedRequest[];
}

/** A row of refusals in the database. */
export interface RecordedRefusals extends Omit<Refusals, 'clientId'> {
  readonly refusalId: string;
  /** An unknown id is shortened to its beginning: a client may have sent its secret in the place of its id. */
  readonly clientId: string | undefined;
  /** Whether an account with this id exists. */
  readonly known: boolean;
  /** The company of the account. */
  readonly company: CompanyId | undefined;
}

/**
 * Notes that a client was refused. The caller does not wait for the database.
 *
 * @param found whether this node knows, without asking the database, that the client id belongs to an account
 */
export type NoteRefusal = (
  refusal: { readonly clientId: ClientId | undefined; readonly found: boolean; readonly reason: RefusalReason } & Omit<
    RefusedRequest,
    'occurredAt'
  >,
) => void;
