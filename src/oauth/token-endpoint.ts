import { stringify } from 'node:querystring';
import compose from 'koa-compose';
import { errors, type Provider } from 'oidc-provider';
import { DomainError } from '../domain/domain-error.ts';
import type { HttpContext } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { invalidClient, OAuthError, type OAuthErrorCode, sendOAuthError } from './oauth-error.ts';
import { readTokenRequest, type TokenRequest } from './token-request.ts';

/**
 * `POST /oauth/token`: our outer layer around the library's endpoint. The body is read once and handed on in canonical
 * form with the one header that the library needs, so that nothing else of the request can reach it: not `Host`, not
 * `Origin`, not `Accept`, and no parameter that we do not know (notes, rows 1, 6 to 9 and 24).
 */
export function tokenEndpoint(provider: Provider, logger: Logger): (ctx: HttpContext) => Promise<void> {
  const dispatch = compose(provider.middleware);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, await readTokenRequest(ctx.req));
      await handOver(ctx, issuance.request);
      if (issuance.failure !== undefined) throw refusalOf(issuance);
    } catch (error) {
      const refusal = error instanceof OAuthError ? error : internalError(error);
      logRefusal(ctx, refusal, issuance);
      sendOAuthError(ctx, refusal);
    }
  };

  async function handOver(ctx: HttpContext, request: TokenRequest): Promise<void> {
    const { req } = ctx;
    const body = Buffer.from(canonicalBody(request));
    const stand_in = {
      method: 'POST',
      url: TOKEN_PATH,
      headers: {
        authorization: request.authorization,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      },
      readable: true,
      readableEncoding: null,
      iterator: () => [body],
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the library reads of a request, and no more
    ctx.req = ctx.request.req = stand_in as unknown as typeof req;
    try {
      await dispatch(ctx);
    } finally {
      ctx.req = ctx.request.req = req;
    }
  }

  function logRefusal(ctx: HttpContext, refusal: OAuthError, issuance: Issuance | undefined): void {
    const entry = {
      event: 'token.refused',
      status: refusal.status,
      error: refusal.code,
      reason: refusal.reason,
      clientId: issuance?.snapshot?.account.clientId,
      requestId: ctx.state.requestId,
    };
    if (refusal.status >= 500) logger.error({ ...entry, err: refusal.cause });
    else logger.info(entry);
  }
}

function canonicalBody({ grantType, clientId, scope }: TokenRequest): string {
  return stringify({
    ...(grantType !== undefined && { grant_type: grantType }),
    ...(clientId !== undefined && { client_id: clientId }),
    ...(scope !== undefined && { scope }),
  });
}

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

/** What the library refused, in our words where ours differ. */
function refusalOf({ failure, reason }: Issuance): OAuthError {
  if (failure instanceof DomainError && failure.code === 'unavailable') {
    return new OAuthError(503, 'temporarily_unavailable', 'try again in a moment', {
      headers: { 'Retry-After': '1' },
      cause: failure,
    });
  }
  if (!(failure instanceof errors.OIDCProviderError)) return internalError(failure);
  const { status, error, error_description: description, error_detail: detail } = failure;
  if (status === 401) return invalidClient(reason ?? detail ?? 'credential_wrong', failure);
  if (!isPassedOn(error)) return internalError(failure);
  return new OAuthError(400, error, description ?? error, { reason: detail ?? error, cause: failure });
}

function internalError(cause: unknown): OAuthError {
  return new OAuthError(500, 'server_error', 'something went wrong here', { cause });
}
