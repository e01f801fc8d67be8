import type { Provider } from 'oidc-provider';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { AssertionTools } from './client-assertion.ts';
import { readClientRequest } from './client-request.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { createHandOver } from './hand-over.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { sendOAuthError } from './oauth-error.ts';
import { errorOf, refusalOf } from './refusal.ts';
import { reportRefusal } from './report-refusal.ts';

export interface TokenEndpointOptions {
  readonly provider: Provider;
  readonly assertionTools: AssertionTools;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
}

/** `POST /oauth/token`: our outer layer around the library's endpoint (RFC 6749 §4.4). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, assertionTools, logger, metrics, noteUse, noteRefusal, alias } = options;
  const handOver = createHandOver(provider, TOKEN_PATH);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, { request: await readClientRequest(ctx.req), alias });
      const { grantType, scope } = issuance.request;
      await handOver(ctx, issuance.request, { grant_type: grantType, scope });
      if (issuance.failure !== undefined) throw await refusalOf(issuance, assertionTools);
      metrics.tokenIssued(issuance.request.authentication.method, seconds());
      const { snapshot, credential } = issuance;
      if (snapshot && credential) noteUse(snapshot.account.clientId, credential.credentialId, ctx.state.source());
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint: 'token', logger, noteRefusal }, ctx, refusal, issuance);
      metrics.tokenRefused(refusal.code, refusal.status === 401 ? refusal.reason : refusal.code, seconds());
      sendOAuthError(ctx, refusal);
    }
  };
}
