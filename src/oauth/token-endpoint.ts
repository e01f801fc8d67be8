import type { Provider } from 'oidc-provider';
import type { HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { readClientRequest } from './client-request.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { createHandOver } from './hand-over.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { logRefusal } from './log-refusal.ts';
import { sendOAuthError } from './oauth-error.ts';
import { errorOf } from './refusal.ts';

export interface TokenEndpointOptions extends ConclusionTools {
  readonly provider: Provider;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
}

/** `POST /oauth/token`: our outer layer around the library's endpoint (RFC 6749 §4.4). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, logger, metrics, alias } = options;
  const handOver = createHandOver(provider, TOKEN_PATH);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, { request: await readClientRequest(ctx.req), alias, source: ctx.state.source() });
      const { grantType, scope } = issuance.request;
      await handOver(ctx, issuance.request, { grant_type: grantType, scope });
      await conclude(issuance, options);
      metrics.tokenIssued(issuance.request.authentication.method, seconds());
    } catch (error) {
      const refusal = errorOf(error);
      logRefusal(logger, 'token.refused', ctx, refusal, issuance?.clientId);
      metrics.tokenRefused(refusal.code, refusal.status === 401 ? refusal.reason : refusal.code, seconds());
      sendOAuthError(ctx, refusal);
    }
  };
}
