import type { Clock } from '../../domain/clock.ts';
import { warns } from '../../domain/credentials/credential.ts';
import type { NoteUse } from '../../domain/credentials/use-store.ts';
import type { TokenSettings } from '../../domain/tokens/plan-token.ts';
import type { MintToken } from '../../domain/tokens/mint-token.ts';
import type { HttpHandler } from '../../http/context.ts';
import type { Metrics, TokenMethod } from '../../observability/metrics.ts';
import type { Attempt } from '../attempt.ts';
import { invalidRequest, OAuthError } from '../refusals/oauth-error.ts';
import { reasonOf } from '../refusals/report-refusal.ts';
import { EXCHANGE_ANSWER, TOKEN_EXCHANGE } from '../ways/api-key-way.ts';
import { JWT_BEARER } from '../ways/federated-way.ts';
import { goodProof, type PossessionTools, provePossession } from '../ways/possession.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { decideToken } from './decide-token.ts';
import { noteUses } from './note-uses.ts';

export interface TokenEndpointOptions extends Omit<ClientEndpointOptions, 'endpoint'> {
  readonly mintToken: MintToken;
  readonly noteUse: NoteUse;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly tokens: TokenSettings;
  readonly possession: PossessionTools;
  /** Seconds before the end of a credential during which every answer names the end. */
  readonly expiryWarning: number;
}

/** Creates `POST /oauth/token` (RFC 6749 §4.4, RFC 8693, RFC 7523 §2.1). */
export function tokenEndpoint(options: TokenEndpointOptions): HttpHandler {
  const { mintToken, tokens, possession, noteUse, metrics, clock, expiryWarning } = options;

  return clientEndpoint(
    { ...options, endpoint: 'token' },
    async (ctx, attempt, seconds) => {
      const { grantType } = attempt.request;
      assertGrantServed(grantType);
      // Most requests have no proof, and need not wait for one.
      if (attempt.request.dpop.length > 0) await provePossession(attempt, possession);
      const wanted = decideToken(attempt, tokens, clock);
      const { accessToken } = await mintToken(wanted);
      const { scope, expiresIn } = wanted.plan;
      noteUses(attempt, noteUse);
      const proof = goodProof(attempt);
      const nonce = proof && possession.dpop.nonceAfter(proof);
      if (nonce !== undefined) ctx.set('DPoP-Nonce', nonce);
      const { credential } = attempt;
      ctx.body = {
        access_token: accessToken,
        expires_in: expiresIn,
        ...(scope !== '' && { scope }),
        token_type: proof === undefined ? 'Bearer' : 'DPoP',
        ...(grantType === TOKEN_EXCHANGE && EXCHANGE_ANSWER),
        ...(credential &&
          warns(credential, clock(), expiryWarning) && {
            credential_expires_at: Math.floor(Number(credential.expiresAt) / 1000),
          }),
      };
      metrics.tokenIssued(methodOf(attempt), seconds());
    },
    (refusal, seconds) => metrics.tokenRefused(refusal.code, reasonOf(refusal), seconds),
  );
}

/** The method by which a token was got, for the metrics. */
function methodOf({ request, exchanged }: Attempt): TokenMethod {
  if (exchanged === undefined) return request.proof.method;
  return exchanged.within === undefined ? 'api_key' : 'access_token';
}

/**
 * Asserts that a request names a grant that this server serves. The others (RFC 8693, RFC 7523) have brought what they
 * exchange already.
 *
 * @throws OAuthError
 */
function assertGrantServed(grantType: string | undefined): void {
  if (grantType === undefined) throw invalidRequest("missing required parameter(s) 'grant_type'");
  if (grantType !== 'client_credentials' && grantType !== TOKEN_EXCHANGE && grantType !== JWT_BEARER) {
    throw new OAuthError(400, 'unsupported_grant_type', 'unsupported grant_type requested');
  }
}
