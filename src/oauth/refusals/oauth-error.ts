import type { HttpContext } from '../../http/context.ts';

/** The codes of contract and RFCs (6749 §5.2, 6750 §3.1, 8707 §2), and two for what HTTP itself refuses. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'
  | 'unauthorized_client'
  | 'temporarily_unavailable'
  | 'server_error';

/** A refusal at an OAuth endpoint. `message` goes to the caller, everything else but `headers` does not. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly status: number;
  readonly code: OAuthErrorCode;
  /** For the log. */
  readonly reason: string;
  /** What is to be known of it by who looks after the account. */
  readonly detail: string | undefined;
  /** What the request says it comes from, where that is all that is known. */
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
 * The one answer to every client that did not prove who it is, to the byte: whether the account is unknown, disabled, or
 * the credential wrong or expired shows in the log alone.
 *
 * @param options `explanation`: what may be said to a client that did prove to hold the key
 */
export function invalidClient(
  reason: string,
  { explanation, ...known }: { explanation?: string | undefined; detail?: string; named?: string | undefined } = {},
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
