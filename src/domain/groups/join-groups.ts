import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { RolesByKey } from '../roles/role.ts';
import { slugOf } from '../slug.ts';
import type { GroupId, GroupSnapshot } from './group.ts';
import type { GroupStore } from './group-store.ts';

const GROUP_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export function isGroupId(value: string): value is GroupId {
  return GROUP_ID.test(value);
}

/** An id made from a name. @returns undefined when nothing of it can stand in one */
export function groupIdOf(name: string): GroupId | undefined {
  const slug = slugOf(name);
  return slug !== undefined && isGroupId(slug) ? slug : undefined;
}

/** Groups that an account is to be in, and everything that they refer to. */
export interface JoinedGroups {
  readonly groups: readonly GroupSnapshot[];
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Reads the groups of a company that an account is to be in.
 *
 * @throws DomainError `invalid_value` with a pointer for every one that there is not
 */
export async function joinGroups(
  { lock }: Pick<GroupStore, 'lock'>,
  company: CompanyId | undefined,
  wanted: readonly string[],
): Promise<JoinedGroups> {
  const groups: GroupSnapshot[] = [];
  // In one order, so that two who lock several do not wait for each other.
  for (const groupId of [...new Set(wanted)].toSorted()) {
    const group = company !== undefined && isGroupId(groupId) ? await lock(company, groupId) : undefined;
    if (group === undefined) {
      throw new DomainError('invalid_value', 'There is no such group', {
        fields: [{ pointer: `/groups/${wanted.indexOf(groupId)}`, message: 'is not a group of the company' }],
      });
    }
    groups.push(group);
  }
  return {
    groups,
    roles: new Map(groups.flatMap((group) => [...group.roles])),
    audiences: new Map(groups.flatMap((group) => [...group.audiences])),
  };
}
