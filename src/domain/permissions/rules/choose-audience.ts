import { DomainError } from '../../domain-error.ts';
import type { ResourceServerId } from '../../ids.ts';
import type { Audiences } from '../../resource-servers/resource-server.ts';
import { permissionsOf } from '../../roles/built-in-roles.ts';
import type { BoundGrants } from './bind-grants.ts';

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
