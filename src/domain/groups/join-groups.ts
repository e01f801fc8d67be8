import { DomainError } from '../domain-error.ts';
import type { CompanyId, GroupId } from '../ids.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { RolesByKey } from '../roles/role.ts';
import { isGroupId, type Membership } from './group.ts';
import type { GroupStore } from './group-store.ts';

/** Groups that an account is to be in, and everything that they refer to. */
export interface JoinedGroups {
  readonly groups: readonly Membership[];
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Reads the groups of a company that an account is to be in; they stay as they are until the end of the transaction.
 *
 * @param leaving those that it may leave are locked with them, in one order
 * @throws DomainError `invalid_value` with a pointer for every one that there is not
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
