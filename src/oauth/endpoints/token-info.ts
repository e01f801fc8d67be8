import type { InspectToken } from '../../domain/tokens/live-token.ts';
import { bearerTokenOf } from '../../http/bearer-token.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import { readOnly } from '../../http/public-document.ts';
import { OAuthError, sendOAuthError } from '../refusals/oauth-error.ts';
import { errorOf } from '../refusals/refusal-of.ts';
import { type RefusalReporting, reportRefusal } from '../refusals/report-refusal.ts';
import { assertPasses, readTokenGate } from './token-gate.ts';

/**
 * Creates `GET /tokeninfo`, which answers the claims of the token in the request as long as the token works. With
 * `resource` and `scope` in the query it is a gate for proxies that can only ask one URL and look at the status: 2xx,
 * 401 or 403.
 */
export function tokenInfo(inspectToken: InspectToken, reporting: RefusalReporting): HttpHandler {
  return async (ctx) => {
    if (!readOnly(ctx)) return;
    ctx.set('Cache-Control', 'no-store');
    try {
      const gate = readTokenGate(ctx.querystring);
      const token = await inspectToken(presented(ctx));
      if (token === undefined) throw invalidToken('token_inactive');
      assertPasses(gate, token);
      ctx.body = { active: true, ...token.claims, token_type: 'Bearer' };
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ ...reporting, endpoint: 'tokeninfo' }, ctx, refusal, undefined);
      sendOAuthError(ctx, refusal);
    }
  };
}

function presented({ req }: HttpContext): string {
  const token = bearerTokenOf(req);
  if (typeof token === 'string') return token;
  throw invalidToken(token.missing ? 'token_missing' : 'token_malformed');
}

/** The refusal of a token that does not work (RFC 6750 §3.1). */
function invalidToken(reason: string): OAuthError {
  return new OAuthError(401, 'invalid_token', 'the access token is not valid', {
    reason,
    detail: reason,
    headers: { 'WWW-Authenticate': 'Bearer realm="writ", error="invalid_token"' },
  });
}
