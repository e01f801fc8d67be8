import { DomainError } from '../domain-error.ts';
import type { CompanyId, GroupId } from '../ids.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { RolesByKey } from '../roles/role.ts';
import { isGroupId, type Membership } from './group.ts';
import type { GroupStore } from './group-store.ts';

/** The groups that an account will be in, with the roles and resource servers that they refer to. */
export interface JoinedGroups {
  readonly groups: readonly Membership[];
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Reads the groups of a company that an account will be in. Nobody changes them until the end of the transaction.
 *
 * @param leaving groups that the account may leave; they are locked together with the wanted groups, in one order
 * @throws DomainError `invalid_value` with a pointer for each group that does not exist
 */
export async function joinGroups(
  { lock }: Pick<GroupStore, 'lock'>,
  company: CompanyId | undefined,
  wanted: readonly string[],
  leaving: readonly GroupId[] = [],
): Promise<JoinedGroups> {
  const ids = new Set([...wanted.filter(isGroupId), ...leaving]);
  const locked = company === undefined ? [] : await lock(company, [...ids]);
  const found = locked.filter(({ group }) => wanted.includes(group.groupId));
  const there: ReadonlySet<string> = new Set(found.map(({ group }) => group.groupId));
  const fields = wanted.flatMap((groupId, index) =>
    there.has(groupId) ? [] : [{ pointer: `/groups/${index}`, message: 'is not a group of the company' }],
  );
  if (fields.length > 0) throw new DomainError('invalid_value', 'There are no such groups', { fields });
  return {
    groups: found.map(({ group, grants }) => ({ groupId: group.groupId, grants })),
    roles: new Map(found.flatMap((group) => [...group.roles])),
    audiences: new Map(found.flatMap((group) => [...group.audiences])),
  };
}
