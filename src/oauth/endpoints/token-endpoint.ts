import type { Clock } from '../../domain/clock.ts';
import { warns } from '../../domain/credentials/credential.ts';
import type { DpopVerifier } from '../../domain/possession/dpop-proof.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import type { Metrics, TokenMethod } from '../../observability/metrics.ts';
import type { Attempt } from '../attempt.ts';
import { TOKEN_PATH } from '../library/create-library.ts';
import { createHandOver } from '../library/hand-over.ts';
import { reasonOf } from '../refusals/report-refusal.ts';
import { EXCHANGE_ANSWER, type ExchangeTools, recognizeSubject, TOKEN_EXCHANGE } from '../ways/api-key-way.ts';
import { goodProof } from '../ways/possession.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { conclude, type ConclusionTools } from './conclude.ts';

export interface TokenEndpointOptions
  extends ConclusionTools, Pick<ExchangeTools, 'findExchanged'>, Omit<ClientEndpointOptions, 'endpoint'> {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly dpop: DpopVerifier;
  /** Seconds before the end of a credential during which every answer names the end. */
  readonly expiryWarning: number;
}

/** Creates `POST /oauth/token` (RFC 6749 §4.4, RFC 8693) around the endpoint of the library. */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { library, metrics, clock, expiryWarning, dpop } = options;
  const handOver = createHandOver(library.provider, TOKEN_PATH);

  return clientEndpoint(
    { ...options, endpoint: 'token' },
    async (ctx, attempt, seconds) => {
      const { proof, subjectToken, grantType } = attempt.request;
      if (subjectToken !== undefined) await recognizeSubject(attempt, subjectToken, options);
      // The library knows one grant: what the others bring has been recognized already.
      const isOwn = subjectToken !== undefined || proof.way === 'federated';
      await handOver(ctx, attempt, { grant_type: isOwn ? 'client_credentials' : grantType });
      await conclude(attempt, options);
      if (grantType === TOKEN_EXCHANGE) ctx.body = { ...answerOf(ctx), ...EXCHANGE_ANSWER };
      const possession = goodProof(attempt);
      if (possession !== undefined) {
        ctx.body = { ...answerOf(ctx), token_type: 'DPoP' };
        const nonce = dpop.nonceAfter(possession);
        if (nonce !== undefined) ctx.set('DPoP-Nonce', nonce);
      }
      metrics.tokenIssued(methodOf(attempt), seconds());
      const { credential } = attempt;
      if (credential && warns(credential, clock(), expiryWarning)) {
        ctx.body = { ...answerOf(ctx), credential_expires_at: Math.floor(Number(credential.expiresAt) / 1000) };
      }
    },
    (refusal, seconds) => metrics.tokenRefused(refusal.code, reasonOf(refusal), seconds),
  );
}

/** The method by which a token was got, for the metrics. */
function methodOf({ request, exchanged }: Attempt): TokenMethod {
  if (exchanged === undefined) return request.proof.method;
  return exchanged.within === undefined ? 'api_key' : 'access_token';
}

/** The answer of the library. */
function answerOf({ body }: HttpContext): object {
  if (typeof body !== 'object' || body === null) throw new Error('the answer of the library is not an object');
  return body;
}
