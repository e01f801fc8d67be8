import type { HttpContext } from '../../http/context.ts';

/** The error codes of OAuth (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 8707 §2, RFC 9449 §12.2). */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'invalid_token',
  'insufficient_scope',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
  'unsupported_response_type',
  'unsupported_token_type',
  'unauthorized_client',
  'temporarily_unavailable',
  'server_error',
] as const;

export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number];

/** A refusal at an OAuth endpoint. The caller gets the status, the code, `message` and `headers`, and nothing else. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly status: number;
  readonly code: OAuthErrorCode;
  /** The true reason, for the log. */
  readonly reason: string;
  /** More about the reason, for the owners of the account only. */
  readonly detail: string | undefined;
  /** The client id that the request names, when nothing else is known of the client. */
  readonly named: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: OAuthErrorCode,
    message: string,
    options: {
      reason?: string;
      detail?: string | undefined;
      named?: string | undefined;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.reason = options.reason ?? code;
    this.detail = options.detail;
    this.named = options.named;
    this.headers = options.headers ?? {};
  }
}

/**
 * The answer to every client that did not prove who it is: only the request id differs. Only the log says whether the
 * account is unknown or disabled, or the credential is wrong or expired.
 *
 * @param options `explanation`: the text for a client that has proved to hold the key
 */
export function invalidClient(
  reason: string,
  {
    explanation,
    ...known
  }: { explanation?: string | undefined; detail?: string | undefined; named?: string | undefined } = {},
): OAuthError {
  return new OAuthError(401, 'invalid_client', explanation ?? 'client authentication failed', {
    detail: explanation,
    ...known,
    reason,
    headers: { 'WWW-Authenticate': 'Basic realm="writ"' },
  });
}

/** @param named the client id that the request names, when nothing else is known of the client */
export function invalidRequest(message: string, named?: string): OAuthError {
  return new OAuthError(400, 'invalid_request', message, { named });
}

/** Sends a refusal in the form of every OAuth endpoint: JSON, with `message` for Mia's clients. */
export function sendOAuthError(ctx: HttpContext, error: OAuthError): void {
  // The library may have set its own header, which would tell what the library refused.
  ctx.remove('WWW-Authenticate');
  ctx.set(error.headers);
  ctx.status = error.status;
  ctx.body = {
    error: error.code,
    error_description: error.message,
    message: error.message,
    request_id: ctx.state.requestId,
  };
}
