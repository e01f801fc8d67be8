import { DomainError } from '../../domain-error.ts';
import type { CompanyId, ResourceServerId } from '../../ids.ts';
import type { Audience, Audiences } from '../../resource-servers/resource-server.ts';
import type { ResourceServerStore } from '../../resource-servers/resource-server-store.ts';
import { permissionsOf } from '../../roles/built-in-roles.ts';
import type { BoundGrants } from './bind-grants.ts';

/**
 * Finds the resource server that a request names as an audience.
 *
 * @param company the company of the account, which sees its own resource servers and root's; undefined: a root account
 * @param at the JSON pointer to the object of the body that has the member `audience`
 * @throws DomainError `invalid_value`
 */
export async function namedAudience(
  { named }: Pick<ResourceServerStore, 'named'>,
  company: CompanyId | undefined,
  identifier: string,
  at = '',
): Promise<Audience> {
  const server = await named(identifier);
  if (server === undefined || (server.company !== undefined && server.company !== company)) {
    throw new DomainError('invalid_value', 'audience names no resource server', {
      fields: [{ pointer: `${at}/audience`, message: 'is not the identifier of a resource server' }],
    });
  }
  return server;
}

/**
 * Chooses the audience of an account that has none yet: the resource server of its first permissions and roles.
 *
 * @param asking whether grants that span several resource servers are refused; false: the management API is chosen, as
 *   for Mia's clients
 * @returns undefined when the grants have no permissions
 * @throws DomainError `audience_required` when the grants span several resource servers
 */
export function audienceOf(
  { grants, roles, audiences }: Pick<BoundGrants, 'grants' | 'roles'> & { readonly audiences: Audiences },
  asking: boolean,
): ResourceServerId | undefined {
  const bound = new Set(
    grants.flatMap((grant): ResourceServerId[] => {
      if (grant.kind === 'permission') return [grant.resourceServerId];
      const role = roles.get(grant.roleKey);
      return role === undefined ? [] : permissionsOf(role).map(({ resourceServerId }) => resourceServerId);
    }),
  );
  const [first, ...others] = bound;
  if (others.length === 0) return first;
  if (!asking) return 'management';
  const identifiers = [...bound]
    .map((id) => audiences.get(id)?.identifier ?? id)
    .toSorted()
    .join(', ');
  throw new DomainError('audience_required', `The permissions and roles span ${identifiers}: name the audience`, {
    fields: [{ pointer: '/audience', message: `is required: one of ${identifiers}` }],
  });
}
