import { errors } from 'oidc-provider';
import { DomainError } from '../domain/domain-error.ts';
import { type AssertionTools, explainRefusal } from './client-assertion.ts';
import type { Issuance } from './issuance.ts';
import { invalidClient, OAuthError, type OAuthErrorCode } from './oauth-error.ts';

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

/** What the library or one of our hooks refused, in our words where ours differ. */
export async function refusalOf(issuance: Issuance, tools: AssertionTools): Promise<OAuthError> {
  const { failure } = issuance;
  if (failure instanceof DomainError && failure.code === 'unavailable') return unavailable(failure);
  if (failure instanceof OAuthError) return failure;
  if (!(failure instanceof errors.OIDCProviderError)) return internalError(failure);
  const { status, error, error_description: description, error_detail: detail } = failure;
  if (status === 401) {
    const explanation = await explainRefusal(issuance, tools);
    return invalidClient(issuance.reason ?? detail ?? 'invalid_client', { explanation });
  }
  if (!isPassedOn(error)) return internalError(failure);
  return new OAuthError(400, error, description ?? error, { reason: detail ?? error });
}

/** Whatever was thrown on the way, as what the client is answered. */
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
