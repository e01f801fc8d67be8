import type { GroupSnapshot } from '../../domain/groups/group.ts';
import type { Groups } from '../../domain/groups/groups.ts';
import { writtenPermissions, writtenRoles } from '../../domain/permissions/written-grants.ts';
import type { GroupBody, MiaGroupBody } from './group-schema.ts';

/** A group as it is answered. */
export function presentGroup({ group, grants, members, audiences }: GroupSnapshot): GroupBody {
  const roles = writtenRoles(grants);
  return {
    groupId: group.groupId,
    name: group.name,
    company: group.company,
    roles,
    permissions: writtenPermissions(grants, audiences),
    members: [...members],
    createdAt: group.createdAt.toISOString(),
    createdBy: group.createdBy,
    updatedAt: group.updatedAt.toISOString(),
    _id: group.groupId,
    role: roles.find((role) => !role.includes('@')) ?? '',
  };
}

/**
 * A group as miactl reads it in a list.
 *
 * @param names of its members; one without has been deleted since
 */
export function presentGroupToMiactl(
  snapshot: GroupSnapshot,
  names: Awaited<ReturnType<Groups['memberNames']>>,
): MiaGroupBody {
  const group = presentGroup(snapshot);
  return {
    ...group,
    roleId: group.role,
    members: snapshot.members.flatMap((userId) => {
      const named = names.get(userId);
      return named === undefined ? [] : [{ userId, email: named.slug, fullname: named.name, name: named.name }];
    }),
  };
}
