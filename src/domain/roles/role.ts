import type { ClientId, CompanyId, Permission, ResourceServerId, RoleId, RoleKey } from '../ids.ts';

const ROLE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export function isRoleId(value: string): value is RoleId {
  return ROLE_ID.test(value);
}

/** A permission of a role, bound to a resource server when the role was written. */
export interface RolePermission {
  readonly permission: Permission;
  readonly resourceServerId: ResourceServerId;
  /** Whether the permission was written with its resource server; it is then shown with its resource server, too. */
  readonly qualified: boolean;
}

/** The parts of a role that decide which permissions it gives. */
export interface RoleRights {
  readonly roleKey: RoleKey;
  readonly roleId: RoleId;
  /** The written permissions, without the built-in management permissions of a built-in role. */
  readonly permissions: readonly RolePermission[];
}

/** Roles by their keys. */
export type RolesByKey = ReadonlyMap<RoleKey, RoleRights>;

export function rolesByKey(roles: readonly RoleRights[]): Map<RoleKey, RoleRights> {
  return new Map(roles.map((role) => [role.roleKey, role]));
}

/** A named set of permissions. */
export interface Role extends RoleRights {
  /** The company that the role belongs to; undefined: root's role or a built-in role, which every company sees. */
  readonly company: CompanyId | undefined;
  readonly name: string;
  readonly description: string | undefined;
  readonly createdAt: Date;
  /** Undefined for a built-in role. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts the changes of the role. */
  readonly revision: number;
}
