import type { Permission, Place, ResourceServerId, RoleId, RoleKey } from '../ids.ts';
import { scopeToken } from './scope-token.ts';

/** A permission at the resource server to which it was bound when it was written. */
export interface PermissionGrant {
  readonly kind: 'permission';
  readonly permission: Permission;
  readonly place: Place;
  readonly resourceServerId: ResourceServerId;
  /** Whether it was written with its resource server, and reads back so. */
  readonly qualified: boolean;
}

export interface RoleGrant {
  readonly kind: 'role';
  readonly roleKey: RoleKey;
  readonly roleId: RoleId;
  readonly place: Place;
}

/** Something that was given to an account or a group. */
export type Grant = PermissionGrant | RoleGrant;

/** Says which grant it is: two that say the same are the same, in whichever form they were written. */
export function grantKey(grant: Grant): string {
  return grant.kind === 'role'
    ? `role ${grant.roleKey}@${grant.place}`
    : `permission ${grant.permission}@${grant.place} ${grant.resourceServerId}`;
}

/** A grant as it is shown to people: `orders:read@shop`. */
export function grantName(grant: Grant): string {
  return scopeToken(grant.kind === 'role' ? grant.roleId : grant.permission, grant.place);
}

export function isRoleGrant(grant: Grant): grant is RoleGrant {
  return grant.kind === 'role';
}
