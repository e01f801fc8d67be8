import type { ClientId, CompanyId, Permission, ResourceServerId, RoleId, RoleKey } from '../ids.ts';

const ROLE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export function isRoleId(value: string): value is RoleId {
  return ROLE_ID.test(value);
}

/** A permission as a member of a role, bound when it was written. */
export interface RolePermission {
  readonly permission: Permission;
  readonly resourceServerId: ResourceServerId;
  /** Whether it was written with its resource server, and reads back so. */
  readonly qualified: boolean;
}

/** What decides what a role gives. */
export interface RoleRights {
  readonly roleKey: RoleKey;
  readonly roleId: RoleId;
  /** Beside what a built-in role may do at the management API. */
  readonly permissions: readonly RolePermission[];
}

/** The roles that somebody has, by their keys. */
export type RolesByKey = ReadonlyMap<RoleKey, RoleRights>;

export function rolesByKey(roles: readonly RoleRights[]): Map<RoleKey, RoleRights> {
  return new Map(roles.map((role) => [role.roleKey, role]));
}

/** A named set of permissions. */
export interface Role extends RoleRights {
  /** The company that it belongs to; undefined: it is root's, or built in, and every company sees it. */
  readonly company: CompanyId | undefined;
  readonly name: string;
  readonly description: string | undefined;
  readonly createdAt: Date;
  /** Undefined for a built-in one. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts its changes. */
  readonly revision: number;
}
