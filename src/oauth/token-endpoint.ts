import type { Provider } from 'oidc-provider';
import type { Clock } from '../domain/clock.ts';
import { warns } from '../domain/credentials/credential.ts';
import type { FindApiKey } from '../domain/tokens/find-api-key.ts';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { AssertionTools } from './client-assertion.ts';
import { ACCESS_TOKEN_TYPE, exchangeRefused, readClientRequest } from './client-request.ts';
import { TOKEN_PATH } from './create-provider.ts';
import { createHandOver } from './hand-over.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { sendOAuthError } from './oauth-error.ts';
import { errorOf, refusalOf } from './refusal.ts';
import { reportRefusal } from './report-refusal.ts';

export interface TokenEndpointOptions {
  readonly provider: Provider;
  readonly assertionTools: AssertionTools;
  readonly findApiKey: FindApiKey;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
  readonly clock: Clock;
  /** Seconds before a credential expires in which every answer says so. */
  readonly expiryWarning: number;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
}

/** `POST /oauth/token`: our outer layer around the library's endpoint (RFC 6749 §4.4). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { provider, assertionTools, findApiKey, logger, metrics, noteUse, noteRefusal, alias } = options;
  const handOver = createHandOver(provider, TOKEN_PATH);

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, { request: await readClientRequest(ctx.req), alias });
      const { authentication, grantType, scope } = issuance.request;
      if (authentication.method === 'api_key') {
        await recognize(issuance, authentication.key);
        const client_id = issuance.clientId;
        await handOver(ctx, issuance.request, { grant_type: 'client_credentials', client_id, scope });
      } else await handOver(ctx, issuance.request, { grant_type: grantType, scope });
      if (issuance.failure !== undefined) throw await refusalOf(issuance, assertionTools);
      if (authentication.method === 'api_key') ctx.body = { ...answerOf(ctx), issued_token_type: ACCESS_TOKEN_TYPE };
      metrics.tokenIssued(issuance.request.authentication.method, seconds());
      const { snapshot, credential } = issuance;
      if (snapshot && credential) {
        noteUse(snapshot.account.clientId, credential.credentialId, ctx.state.source());
        if (warns(credential, options.clock(), options.expiryWarning)) {
          ctx.body = { ...answerOf(ctx), credential_expires_at: Math.floor(Number(credential.expiresAt) / 1000) };
        }
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
    const found = await findApiKey(key);
    issuance.clientId = issuance.named = found.snapshot?.account.clientId;
    if ('refused' in found) {
      issuance.ended = found.credential;
      throw exchangeRefused(found.refused);
    }
    const { snapshot, credential } = found;
    const { clientId } = snapshot.account;
    if ((issuance.request.clientId ?? clientId) !== clientId) throw exchangeRefused('client_id_other');
    issuance.snapshot = snapshot;
    issuance.credential = credential;
  }
}

/** What the library has answered. */
function answerOf({ body }: HttpContext): object {
  if (typeof body !== 'object' || body === null) throw new Error('the library answered something else');
  return body;
}
