import type { Permission, Place, ResourceServerId, RoleId, RoleKey } from '../ids.ts';
import { scopeToken } from './scope-token.ts';

/** A granted permission, bound to a resource server when the grant was written. */
export interface PermissionGrant {
  readonly kind: 'permission';
  readonly permission: Permission;
  readonly place: Place;
  readonly resourceServerId: ResourceServerId;
  /** Whether the grant was written with its resource server; it is then shown with its resource server, too. */
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

/** Identifies a grant: two grants with the same key are the same grant, in whichever form they were written. */
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
