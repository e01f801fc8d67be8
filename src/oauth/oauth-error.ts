import type { HttpContext } from '../http/context.ts';

/** The codes of contract and RFCs (6749 §5.2, 6750 §3.1, 8707 §2), and two for what HTTP itself refuses. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_token'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unauthorized_client'
  | 'temporarily_unavailable'
  | 'server_error';

/** A refusal at an OAuth endpoint. `message` goes to the caller, `reason` to the log only. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly status: number;
  readonly code: OAuthErrorCode;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: OAuthErrorCode,
    message: string,
    options: { reason?: string; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.reason = options.reason ?? code;
    this.headers = options.headers ?? {};
  }
}

/**
 * The one answer to every client that did not prove who it is, to the byte: whether the account is unknown, disabled, or
 * the credential wrong or expired shows in the log alone.
 *
 * @param explanation what may be said to a client that did prove to hold the key
 */
export function invalidClient(reason: string, explanation = 'client authentication failed'): OAuthError {
  return new OAuthError(401, 'invalid_client', explanation, {
    reason,
    headers: { 'WWW-Authenticate': 'Basic realm="writ"' },
  });
}

/** Writes a refusal as every OAuth endpoint does: JSON, with `message` as Mia's clients read it. */
export function sendOAuthError(ctx: HttpContext, error: OAuthError): void {
  // The library has its own, which would tell what was refused first.
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
