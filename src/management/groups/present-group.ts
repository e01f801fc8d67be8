import type { GroupSnapshot } from '../../domain/groups/group.ts';
import { writtenPermissions, writtenRoles } from '../../domain/permissions/written-grants.ts';
import { miaGroupMembers } from '../mia/mia-members.ts';
import type { GroupBody } from './group-schema.ts';

/** Shows a group in an answer. */
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
    ...miaGroupMembers(group, roles),
  };
}
