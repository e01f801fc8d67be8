import type { Provider } from 'oidc-provider';
import type { ClientEndpoint, NoteRefusal } from '../domain/activity/refusal.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import { readClientRequest } from './client-request.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { createHandOver } from './hand-over.ts';
import { PRESENTED } from './inspection.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { sendOAuthError } from './oauth-error.ts';
import { errorOf } from './refusal.ts';
import { reportRefusal } from './report-refusal.ts';

/** `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009): our outer layer around the library's. */
export function inspectionEndpoint({
  provider,
  path,
  endpoint,
  logger,
  noteRefusal,
  ...tools
}: ConclusionTools & {
  readonly provider: Provider;
  /** Where the library serves it. */
  readonly path: string;
  readonly endpoint: ClientEndpoint;
  readonly logger: Logger;
  readonly noteRefusal: NoteRefusal;
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
        requestId: ctx.state.requestId,
      });
      await handOver(ctx, issuance.request, { token: issuance.request.token && PRESENTED });
      await conclude(issuance, tools);
      const { presented, source } = issuance;
      // An API key is used where it is asked about.
      if (presented && 'key' in presented && isActive(ctx)) {
        tools.noteUse(presented.clientId, presented.key.credentialId, source);
      }
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint, logger, noteRefusal }, ctx, refusal, issuance);
      sendOAuthError(ctx, refusal);
    }
  };
}

function isActive({ body }: HttpContext): boolean {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
