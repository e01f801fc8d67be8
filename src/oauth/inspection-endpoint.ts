import type { Provider } from 'oidc-provider';
import type { HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import { readClientRequest } from './client-request.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { createHandOver } from './hand-over.ts';
import { PRESENTED } from './inspection.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { sendOAuthError } from './oauth-error.ts';
import { logRefusal } from './log-refusal.ts';
import { errorOf } from './refusal.ts';

/** `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009): our outer layer around the library's. */
export function inspectionEndpoint({
  provider,
  path,
  event,
  logger,
  ...tools
}: ConclusionTools & {
  readonly provider: Provider;
  /** Where the library serves it. */
  readonly path: string;
  /** What a refusal is called in the log. */
  readonly event: string;
  readonly logger: Logger;
}): HttpHandler {
  const handOver = createHandOver(provider, path);
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, {
        request: await readClientRequest(ctx.req),
        alias: false,
        source: ctx.state.source(),
      });
      await handOver(ctx, issuance.request, { token: issuance.request.token && PRESENTED });
      await conclude(issuance, tools);
    } catch (error) {
      const refusal = errorOf(error);
      logRefusal(logger, event, ctx, refusal, issuance?.clientId);
      sendOAuthError(ctx, refusal);
    }
  };
}
