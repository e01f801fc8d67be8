import { checkPresentation, type PresentationFault } from '../../domain/possession/check-presentation.ts';
import { DPOP_ALGS, type DpopVerifier } from '../../domain/possession/dpop-proof.ts';
import type { InspectToken } from '../../domain/tokens/live-token.ts';
import { dpopProofsOf, type PresentedToken, presentedTokenOf } from '../../http/presented-token.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import { readOnly } from '../../http/public-document.ts';
import { OAuthError, sendOAuthError } from '../refusals/oauth-error.ts';
import { errorOf } from '../refusals/refusal-of.ts';
import { type RefusalReporting, reportRefusal } from '../refusals/report-refusal.ts';
import type { PossessionTools } from '../ways/possession.ts';
import { assertPasses, readTokenGate } from './token-gate.ts';

/**
 * Creates `GET /tokeninfo`, which answers the claims of the token in the request as long as the token works. With
 * `resource` and `scope` in the query it is a gate for proxies that can only ask one URL and look at the status: 2xx,
 * 401 or 403.
 */
export function tokenInfo(
  inspectToken: InspectToken,
  { dpop, issuer }: PossessionTools,
  reporting: RefusalReporting,
): HttpHandler {
  return async (ctx) => {
    if (!readOnly(ctx)) return;
    ctx.set('Cache-Control', 'no-store');
    try {
      const gate = readTokenGate(ctx.querystring);
      const { token: accessToken, scheme } = presented(ctx);
      const token = await inspectToken(accessToken);
      if (token === undefined) throw invalidToken('token_inactive');
      const request = { method: ctx.method, urls: [`${issuer}/tokeninfo`], accessToken };
      const { certificate } = ctx.state;
      const presentation = { scheme, proofs: dpopProofsOf(ctx.req), request, certificate };
      const checked = await checkPresentation(token.confirmation, presentation, dpop);
      if (checked !== undefined && 'error' in checked) throw unproved(checked, dpop);
      assertPasses(gate, token);
      ctx.body = { active: true, ...token.claims, token_type: scheme };
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ ...reporting, endpoint: 'tokeninfo' }, ctx, refusal, undefined);
      sendOAuthError(ctx, refusal);
    }
  };
}

function presented({ req }: HttpContext): PresentedToken {
  const found = presentedTokenOf(req);
  if ('token' in found) return found;
  throw invalidToken(found.missing ? 'token_missing' : 'token_malformed');
}

/** The refusal of a token that comes without the proof or the certificate that it needs (RFC 9449 §7.1, RFC 8705 §3). */
function unproved({ error, reason, message }: PresentationFault, dpop: DpopVerifier): OAuthError {
  const nonce = dpop.nonceFor(error);
  const challenge = reason.startsWith('certificate_')
    ? `Bearer realm="writ", error="${error}"`
    : `DPoP realm="writ", error="${error}", algs="${DPOP_ALGS.join(' ')}"`;
  return new OAuthError(401, error, message, {
    reason,
    headers: {
      'WWW-Authenticate': challenge,
      ...(nonce !== undefined && { 'DPoP-Nonce': nonce }),
    },
  });
}

/** The refusal of a token that does not work (RFC 6750 §3.1). */
function invalidToken(reason: string): OAuthError {
  return new OAuthError(401, 'invalid_token', 'the access token is not valid', {
    reason,
    detail: reason,
    headers: { 'WWW-Authenticate': 'Bearer realm="writ", error="invalid_token"' },
  });
}
