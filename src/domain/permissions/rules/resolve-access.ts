import type { ResourceServerId } from '../../ids.ts';
import { type Audience, type Audiences, isNamed } from '../../resource-servers/resource-server.ts';
import type { Holdings } from './holdings.ts';
import { covers } from '../scope-token.ts';

/** What one token will be for: one resource server, and what may be done there. */
export interface Access {
  readonly server: Audience;
  /** Scope-tokens. */
  readonly permissions: readonly string[];
}

/** Why a request cannot have the token it asks for; the codes are OAuth's (RFC 6749 §5.2, RFC 8707 §2). */
export interface AccessRefusal {
  readonly refused: 'invalid_scope' | 'invalid_target';
  readonly description: string;
}

/** What is asked for. Absent members ask for the account's own audience, and for everything held there. */
export interface AccessRequest {
  /** One resource server by its identifier. */
  readonly resource: string | undefined;
  /** Scope-tokens, in the order of the request. */
  readonly scope: readonly string[] | undefined;
}

/** What an account brings to the decision. */
export interface AccessHolder {
  readonly holdings: Holdings;
  /** The audience of its tokens when the request names none. */
  readonly audience: ResourceServerId;
  /** At least the management API, that audience, and wherever it holds anything. */
  readonly audiences: Audiences;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Decides the one audience of a token and what the token says. Without `resource` the scope picks the audience: the
 * account's own if it holds all of them there, else the one resource server where it does.
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
 * Everything that is held, or just what is asked for: what is held, or the same further down. Asking for what is not
 * held is refused, naming it.
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
