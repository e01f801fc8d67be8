import { DomainError } from '../../domain-error.ts';
import type { ResourceServerId } from '../../ids.ts';
import type { Audiences } from '../../resource-servers/resource-server.ts';
import { permissionsOf } from '../../roles/built-in-roles.ts';
import type { BoundGrants } from './bind-grants.ts';

/**
 * The audience of an account that has none yet: that of the first permissions and roles it gets.
 *
 * @param asking false where the management API is meant when they span several, as for Mia's clients
 * @returns undefined when it gets none
 * @throws DomainError `audience_required` when they span several resource servers
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
  throw new DomainError('audience_required', `What it gets spans ${identifiers}: say which one is the audience`, {
    fields: [{ pointer: '/audience', message: `is required: one of ${identifiers}` }],
  });
}
