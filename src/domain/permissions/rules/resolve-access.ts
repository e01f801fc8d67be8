import type { ResourceServerId } from '../../ids.ts';
import { type Audience, type Audiences, isNamed } from '../../resource-servers/resource-server.ts';
import type { Holdings } from './holdings.ts';
import { covers } from '../scope-token.ts';

/** The resource server of one token, and the permissions that the token will have there. */
export interface Access {
  readonly server: Audience;
  /** Scope-tokens. */
  readonly permissions: readonly string[];
}

/** The reason why a request gets no token, with an OAuth error code (RFC 6749 §5.2, RFC 8707 §2). */
export interface AccessRefusal {
  readonly refused: 'invalid_scope' | 'invalid_target';
  readonly description: string;
}

/** The parameters of a token request. Without them it asks for the account's audience and everything held there. */
export interface AccessRequest {
  /** The identifier of a resource server. */
  readonly resource: string | undefined;
  /** Scope-tokens, in the order of the request. */
  readonly scope: readonly string[] | undefined;
}

/** The account that asks for a token. */
export interface AccessHolder {
  readonly holdings: Holdings;
  /** The audience of its tokens when the request names none. */
  readonly audience: ResourceServerId;
  /** At least the management API, the account's audience, and every resource server at which it holds a permission. */
  readonly audiences: Audiences;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Decides the audience and the permissions of a token. Without `resource` the scope decides the audience: the account's
 * own audience if the account holds the whole scope there, else the only resource server at which it does.
 */
export function resolveAccess(
  { holdings, audience, audiences }: AccessHolder,
  { resource, scope }: AccessRequest,
): Access | AccessRefusal {
  const at = (id: ResourceServerId): ReadonlySet<string> => holdings.get(id) ?? NOTHING;
  const own = audiences.get(audience);
  if (own === undefined) return { refused: 'invalid_target', description: 'the audience of this account is gone' };

  if (resource !== undefined) {
    const server = [...audiences.values()].find((candidate) => isNamed(candidate, resource));
    // The management API is open to every account: it has endpoints about the caller itself.
    const reachable =
      server !== undefined &&
      (server === own || server.resourceServerId === 'management' || at(server.resourceServerId).size > 0);
    if (!reachable) {
      return {
        refused: 'invalid_target',
        description: 'resource names no resource server at which this account holds anything',
      };
    }
    return narrow(server, at(server.resourceServerId), scope);
  }

  if (scope === undefined) return narrow(own, at(own.resourceServerId), undefined);
  const atOwn = narrow(own, at(own.resourceServerId), scope);
  if (!('refused' in atOwn)) return atOwn;
  const elsewhere = [...audiences.values()]
    .filter((server) => server !== own)
    .map((server) => narrow(server, at(server.resourceServerId), scope))
    .filter((access) => !('refused' in access));
  const [only, ...others] = elsewhere;
  return only !== undefined && others.length === 0 ? only : atOwn;
}

/**
 * Decides the permissions of a token: all held permissions, or those in the scope. A scope may name a held permission
 * at a place below. A scope-token that is not held is refused, and the refusal names it.
 */
function narrow(
  server: Audience,
  held: ReadonlySet<string>,
  scope: readonly string[] | undefined,
): Access | AccessRefusal {
  if (scope === undefined) return { server, permissions: [...held] };
  const asked = [...new Set(scope)];
  const missing = asked.filter((name) => !covers(held, name));
  if (missing.length > 0) {
    return {
      refused: 'invalid_scope',
      description: `not held at ${server.identifier}: ${missing.slice(0, 10).join(' ')}${missing.length > 10 ? ' …' : ''}`,
    };
  }
  return { server, permissions: asked.toSorted() };
}
