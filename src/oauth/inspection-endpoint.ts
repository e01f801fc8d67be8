import type { Provider } from 'oidc-provider';
import type { ClientEndpoint, NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { AssertionTools } from './client-assertion.ts';
import { readClientRequest } from './client-request.ts';
import { createHandOver } from './hand-over.ts';
import { PRESENTED } from './inspection.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { sendOAuthError } from './oauth-error.ts';
import { errorOf, refusalOf } from './refusal.ts';
import { reportRefusal } from './report-refusal.ts';

/** `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009): our outer layer around the library's. */
export function inspectionEndpoint({
  provider,
  path,
  endpoint,
  assertionTools,
  logger,
  noteUse,
  noteRefusal,
}: {
  readonly provider: Provider;
  /** Where the library serves it. */
  readonly path: string;
  readonly endpoint: ClientEndpoint;
  readonly assertionTools: AssertionTools;
  readonly logger: Logger;
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
}): HttpHandler {
  const handOver = createHandOver(provider, path);
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, { request: await readClientRequest(ctx.req), alias: false });
      await handOver(ctx, issuance.request, { token: issuance.request.token && PRESENTED });
      if (issuance.failure !== undefined) throw await refusalOf(issuance, assertionTools);
      const { snapshot, credential } = issuance;
      const { presented } = issuance;
      if (snapshot && credential) noteUse(snapshot.account.clientId, credential.credentialId, ctx.state.source());
      // An API key is used where it is asked about.
      if (presented && 'key' in presented && isActive(ctx)) {
        noteUse(presented.clientId, presented.key.credentialId, ctx.state.source());
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
