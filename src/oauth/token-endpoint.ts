import type { Provider } from 'oidc-provider';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { Clock } from '../domain/clock.ts';
import { warns } from '../domain/credentials/credential.ts';
import type { FindApiKey } from '../domain/tokens/find-api-key.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { ACCESS_TOKEN_TYPE, exchangeRefused, readClientRequest } from './client-request.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { createHandOver } from './hand-over.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { type OAuthError, sendOAuthError } from './oauth-error.ts';
import { errorOf } from './refusal.ts';
import { reportRefusal } from './report-refusal.ts';

export interface TokenEndpointOptions extends ConclusionTools {
  readonly provider: Provider;
  readonly findApiKey: FindApiKey;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly noteRefusal: NoteRefusal;
  readonly clock: Clock;
  /** Seconds before a credential expires in which every answer says so. */
  readonly expiryWarning: number;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
}

/** `POST /oauth/token`: our outer layer around the library's endpoint (RFC 6749 §4.4). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, findApiKey, guesses, logger, metrics, noteRefusal, clock, expiryWarning, alias } = options;
  const handOver = createHandOver(provider, TOKEN_PATH);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, {
        request: await readClientRequest(ctx.req),
        alias,
        source: ctx.state.source(),
        requestId: ctx.state.requestId,
      });
      const { authentication, grantType, scope } = issuance.request;
      if (authentication.method === 'api_key') {
        await recognize(issuance, authentication.key);
        const client_id = issuance.clientId;
        await handOver(ctx, issuance.request, { grant_type: 'client_credentials', client_id, scope });
      } else await handOver(ctx, issuance.request, { grant_type: grantType, scope });
      await conclude(issuance, options);
      if (authentication.method === 'api_key') ctx.body = { ...answerOf(ctx), issued_token_type: ACCESS_TOKEN_TYPE };
      metrics.tokenIssued(authentication.method, seconds());
      const { credential } = issuance;
      if (credential && warns(credential, clock(), expiryWarning)) {
        ctx.body = { ...answerOf(ctx), credential_expires_at: Math.floor(Number(credential.expiresAt) / 1000) };
      }
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint: 'token', logger, noteRefusal }, ctx, refusal, issuance);
      metrics.tokenRefused(refusal.code, refusal.status === 401 ? refusal.reason : refusal.code, seconds());
      sendOAuthError(ctx, refusal);
    }
  };

  /** Whose the API key is that is to be exchanged (RFC 8693). @throws OAuthError the same one whatever is wrong with it */
  async function recognize(issuance: Issuance, key: string): Promise<void> {
    // It names nobody: what fails counts for where it comes from.
    const attempt = guesses.admit(issuance.source, '');
    const refused = (reason: string): OAuthError => guesses.failed(attempt) ?? exchangeRefused(reason);
    const found = await findApiKey(key);
    issuance.clientId = issuance.named = found.snapshot?.account.clientId;
    if ('refused' in found) {
      issuance.ended = found.credential;
      throw refused(found.refused);
    }
    const { snapshot, credential } = found;
    const { clientId } = snapshot.account;
    if ((issuance.request.clientId ?? clientId) !== clientId) throw refused('client_id_other');
    issuance.snapshot = snapshot;
    issuance.credential = credential;
  }
}

/** What the library has answered. */
function answerOf({ body }: HttpContext): object {
  if (typeof body !== 'object' || body === null) throw new Error('the library answered something else');
  return body;
}
