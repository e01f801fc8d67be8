import { stringify } from 'node:querystring';
import compose from 'koa-compose';
import { errors, type Provider } from 'oidc-provider';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import { DomainError } from '../domain/domain-error.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { type AssertionTools, explainRefusal } from './client-assertion.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { invalidClient, OAuthError, type OAuthErrorCode, sendOAuthError } from './oauth-error.ts';
import { ASSERTION_TYPE, readTokenRequest, type TokenRequest } from './token-request.ts';

export interface TokenEndpointOptions {
  readonly provider: Provider;
  readonly assertionTools: AssertionTools;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly noteUse: NoteUse;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
}

/**
 * `POST /oauth/token`: our outer layer around the library's endpoint. The body is read once and handed on in canonical
 * form with the one header that the library needs, so that nothing else of the request can reach it: not `Host`, not
 * `Origin`, not `Accept`, and no parameter that we do not know (notes, rows 1, 6 to 9 and 24).
 */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, assertionTools, logger, metrics, noteUse, alias } = options;
  const dispatch = compose(provider.middleware);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, { request: await readTokenRequest(ctx.req), alias });
      await handOver(ctx, issuance.request);
      if (issuance.failure !== undefined) throw await refusalOf(issuance, assertionTools);
      metrics.tokenIssued(issuance.request.authentication.method, seconds());
      const { snapshot, credential } = issuance;
      if (snapshot && credential) noteUse(snapshot.account.clientId, credential.credentialId, ctx.state.source());
    } catch (error) {
      const refusal = errorOf(error);
      logRefusal(ctx, refusal, issuance);
      metrics.tokenRefused(refusal.code, refusal.status === 401 ? refusal.reason : refusal.code, seconds());
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
        ...(request.authentication.method === 'client_secret_basic' && {
          authorization: request.authentication.authorization,
        }),
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      },
      readable: true,
      readableEncoding: null,
      iterator: () => [body],
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that the library reads of a request, and no more
    ctx.req = ctx.request.req = stand_in as unknown as typeof req;
    // The library adds headers for other origins, unless one of them is there (notes, row 6).
    ctx.set(CORS, '');
    try {
      await dispatch(ctx);
    } finally {
      ctx.req = ctx.request.req = req;
      ctx.remove(CORS);
    }
  }

  function logRefusal(ctx: HttpContext, refusal: OAuthError, issuance: Issuance | undefined): void {
    const entry = {
      event: 'token.refused',
      status: refusal.status,
      error: refusal.code,
      reason: refusal.reason,
      clientId: issuance?.clientId,
      source: ctx.state.source(),
      requestId: ctx.state.requestId,
    };
    if (refusal.status >= 500) logger.error({ ...entry, err: refusal.cause });
    else logger.info(entry);
  }
}

const CORS = 'Access-Control-Allow-Origin';

function canonicalBody({ authentication, grantType, clientId, scope }: TokenRequest): string {
  return stringify({
    ...(grantType !== undefined && { grant_type: grantType }),
    ...(clientId !== undefined && { client_id: clientId }),
    ...(scope !== undefined && { scope }),
    ...(authentication.method === 'client_secret_post' && { client_secret: authentication.clientSecret }),
    ...(authentication.method === 'private_key_jwt' && {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: authentication.assertion.compact,
    }),
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
async function refusalOf(issuance: Issuance, tools: AssertionTools): Promise<OAuthError> {
  const { failure } = issuance;
  if (failure instanceof DomainError && failure.code === 'unavailable') return unavailable(failure);
  if (!(failure instanceof errors.OIDCProviderError)) return internalError(failure);
  const { status, error, error_description: description, error_detail: detail } = failure;
  if (status === 401) {
    const explanation = await explainRefusal(issuance, tools);
    return invalidClient(issuance.reason ?? detail ?? 'credential_wrong', explanation);
  }
  if (!isPassedOn(error)) return internalError(failure);
  return new OAuthError(400, error, description ?? error, { reason: detail ?? error });
}

function errorOf(error: unknown): OAuthError {
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
