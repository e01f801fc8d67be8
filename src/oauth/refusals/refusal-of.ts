import { errors } from 'oidc-provider';
import { DomainError } from '../../domain/domain-error.ts';
import { OAuthError, type OAuthErrorCode } from './oauth-error.ts';

const PASSED_ON: ReadonlySet<string> = new Set<OAuthErrorCode>([
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
  'unauthorized_client',
]);

function isPassedOn(code: string): code is OAuthErrorCode {
  return PASSED_ON.has(code);
}

/** Translates the error by which the library, or one of our hooks, refused an attempt. */
export function refusalOf(failure: unknown): OAuthError {
  if (!(failure instanceof errors.OIDCProviderError)) return errorOf(failure);
  const { error, error_description: description, error_detail: detail } = failure;
  if (!isPassedOn(error)) return internalError(failure);
  return new OAuthError(400, error, description ?? error, { reason: detail ?? error });
}

/** Translates any error that a handler has thrown. */
export function errorOf(error: unknown): OAuthError {
  if (error instanceof OAuthError) return error;
  return error instanceof DomainError && error.code === 'unavailable' ? unavailable(error) : internalError(error);
}

function unavailable(cause: unknown): OAuthError {
  return new OAuthError(503, 'temporarily_unavailable', 'try again in a moment', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}

function internalError(cause: unknown): OAuthError {
  return new OAuthError(500, 'server_error', 'something went wrong here', { cause });
}
