import type { Provider } from 'oidc-provider';
import type { Clock } from '../domain/clock.ts';
import { warns } from '../domain/credentials/credential.ts';
import type { FindApiKey } from '../domain/tokens/find-api-key.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Metrics } from '../observability/metrics.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { ACCESS_TOKEN_TYPE, exchangeRefused } from './client-request.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { createHandOver } from './hand-over.ts';
import type { Issuance } from './issuance.ts';
import type { OAuthError } from './oauth-error.ts';

export interface TokenEndpointOptions extends ConclusionTools, Omit<ClientEndpointOptions, 'endpoint'> {
  readonly provider: Provider;
  readonly findApiKey: FindApiKey;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Seconds before a credential expires in which every answer says so. */
  readonly expiryWarning: number;
}

/** `POST /oauth/token`: our outer layer around the library's endpoint (RFC 6749 §4.4). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, findApiKey, guesses, metrics, clock, expiryWarning } = options;
  const handOver = createHandOver(provider, TOKEN_PATH);

  return clientEndpoint(
    { ...options, endpoint: 'token' },
    async (ctx, issuance, seconds) => {
      const { authentication, apiKey, grantType } = issuance.request;
      if (apiKey === undefined) await handOver(ctx, issuance.request, { grant_type: grantType });
      else {
        await recognize(issuance, apiKey);
        // Where the client authenticates, that says who it is; otherwise the key does.
        const client_id = authentication.method === 'api_key' ? issuance.clientId : undefined;
        await handOver(ctx, issuance.request, { grant_type: 'client_credentials', client_id });
      }
      await conclude(issuance, options);
      if (apiKey !== undefined) ctx.body = { ...answerOf(ctx), issued_token_type: ACCESS_TOKEN_TYPE };
      metrics.tokenIssued(apiKey === undefined ? authentication.method : 'api_key', seconds());
      const { credential } = issuance;
      if (credential && warns(credential, clock(), expiryWarning)) {
        ctx.body = { ...answerOf(ctx), credential_expires_at: Math.floor(Number(credential.expiresAt) / 1000) };
      }
    },
    ({ status, code, reason }, seconds) => metrics.tokenRefused(code, status === 401 ? reason : code, seconds),
  );

  /** Whose the API key is that is to be exchanged (RFC 8693). @throws OAuthError the same one whatever is wrong with it */
  async function recognize(issuance: Issuance, key: string): Promise<void> {
    // It names nobody: what fails counts for where it comes from.
    const attempt = guesses.admit(issuance.source, '');
    const refused = (reason: string): OAuthError =>
      guesses.failed(attempt, issuance.requestId) ?? exchangeRefused(reason);
    const found = await findApiKey(key, attempt.mayAsk);
    issuance.clientId = issuance.named = found.snapshot?.account.clientId;
    if ('refused' in found) {
      issuance.ended = found.credential;
      throw refused(found.refused);
    }
    const { snapshot, credential } = found;
    const { clientId } = snapshot.account;
    if ((issuance.request.clientId ?? clientId) !== clientId) throw refused('client_id_other');
    issuance.exchanged = found;
    if (issuance.request.authentication.method !== 'api_key') return;
    issuance.snapshot = snapshot;
    issuance.credential = credential;
  }
}

/** What the library has answered. */
function answerOf({ body }: HttpContext): object {
  if (typeof body !== 'object' || body === null) throw new Error('the library answered something else');
  return body;
}
