import { quoted } from '../../domain/assertions/quoted.ts';
import { parseScope } from '../../domain/permissions/requested-scope.ts';
import { covers } from '../../domain/permissions/scope-token.ts';
import { identifierKey } from '../../domain/resource-servers/resource-server.ts';
import type { VerifiedToken } from '../../domain/tokens/verify-access-token.ts';
import { OAuthError } from '../refusals/oauth-error.ts';

/** The conditions that a gate puts on a token. */
export interface TokenGate {
  /** The identifier of the resource server that the token must be for; undefined: any resource server. */
  readonly resource: string | undefined;
  /** The scope-tokens that the token must all have, each at its place or at a place above. */
  readonly scope: readonly string[];
}

const PARAMETERS: ReadonlySet<string> = new Set(['resource', 'scope']);

/**
 * Reads the conditions of a gate. They are written once, in the settings of a proxy, and a mistake in them must let
 * nobody through: a parameter that is unknown, repeated or without a value is refused.
 *
 * @throws OAuthError 400
 */
export function readTokenGate(query: string): TokenGate {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!PARAMETERS.has(name)) throw wrong(`the parameters are resource and scope, not ${quoted(name)}`);
    if (parameters.getAll(name).length > 1) throw wrong(`${name} must not be there twice`);
  }
  const scope = parameters.get('scope') ?? undefined;
  const requested = parseScope(scope);
  if ('malformed' in requested) throw wrong(`scope: ${requested.malformed}`);
  const resource = parameters.get('resource') ?? undefined;
  if (resource === '') throw wrong('resource has no value');
  if (scope !== undefined && requested.tokens === undefined) throw wrong('scope has no value');
  return { resource, scope: requested.tokens ?? [] };
}

/**
 * Asserts that a token meets the conditions of a gate. The token itself has been checked before.
 *
 * @throws OAuthError 401 when the token is for another resource server, 403 when it lacks a part of the scope (RFC 6750
 *   §3.1)
 */
export function assertPasses(
  { resource, scope }: TokenGate,
  { audience, permissions }: Pick<VerifiedToken, 'audience' | 'permissions'>,
): void {
  if (resource !== undefined && identifierKey(audience) !== identifierKey(resource)) {
    const description = `the access token is for ${quoted(audience)}, but a token for another resource is required`;
    throw new OAuthError(401, 'invalid_token', description, {
      reason: 'token_audience',
      headers: challenge(`error="invalid_token", error_description="${description}"`),
    });
  }
  const missing = scope.filter((wanted) => !covers(permissions, wanted));
  if (missing.length > 0) {
    throw new OAuthError(403, 'insufficient_scope', `the access token does not carry ${missing.join(' ')}`, {
      headers: challenge(`error="insufficient_scope", scope="${scope.join(' ')}"`),
    });
  }
}

/** The header by which a refusal tells the client why (RFC 6750 §3). */
function challenge(parameters: string): Record<string, string> {
  return { 'WWW-Authenticate': `Bearer realm="writ", ${parameters}` };
}

function wrong(message: string): OAuthError {
  return new OAuthError(400, 'invalid_request', message);
}
