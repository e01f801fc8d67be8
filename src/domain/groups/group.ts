import type { ClientId, CompanyId, GroupId } from '../ids.ts';
import type { Grant } from '../permissions/grant.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { RolesByKey } from '../roles/role.ts';

const GROUP_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export function isGroupId(value: string): value is GroupId {
  return GROUP_ID.test(value);
}

/** A team of service accounts of one company: its members have all permissions and roles of the group. */
export interface Group {
  readonly groupId: GroupId;
  readonly company: CompanyId;
  readonly name: string;
  readonly createdAt: Date;
  readonly createdBy: ClientId;
  readonly updatedAt: Date;
  /** Counts the changes of the group. */
  readonly revision: number;
}

/** The membership of an account in a group, with the grants of the group. */
export interface Membership {
  readonly groupId: GroupId;
  readonly grants: readonly Grant[];
}

/** A group with its grants and members. */
export interface GroupSnapshot {
  readonly group: Group;
  readonly grants: readonly Grant[];
  readonly members: readonly ClientId[];
  /** At least the roles in its grants. */
  readonly roles: RolesByKey;
  /** At least the resource servers in its grants and roles. */
  readonly audiences: Audiences;
}
