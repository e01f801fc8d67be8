import type { ClientId, CompanyId, GroupId } from '../ids.ts';
import type { Grant } from '../permissions/grant.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { RolesByKey } from '../roles/role.ts';

const GROUP_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export function isGroupId(value: string): value is GroupId {
  return GROUP_ID.test(value);
}

/** A team of service accounts of one company: whatever it is given, its members have. */
export interface Group {
  readonly groupId: GroupId;
  readonly company: CompanyId;
  readonly name: string;
  readonly createdAt: Date;
  readonly createdBy: ClientId;
  readonly updatedAt: Date;
  /** Counts its changes. */
  readonly revision: number;
}

/** That an account is in a group, and what that gives it. */
export interface Membership {
  readonly groupId: GroupId;
  readonly grants: readonly Grant[];
}

/** A group with what it was given and whom it has. */
export interface GroupSnapshot {
  readonly group: Group;
  readonly grants: readonly Grant[];
  readonly members: readonly ClientId[];
  /** The roles among its grants. */
  readonly roles: RolesByKey;
  /** The resource servers of its grants and roles. */
  readonly audiences: Audiences;
}
