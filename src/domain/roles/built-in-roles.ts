import type { Permission, Place } from '../ids.ts';
import { MANAGEMENT_PERMISSIONS, type ManagementPermission } from '../permissions/management-permissions.ts';
import { isPermission } from '../permissions/permission.ts';
import type { RoleGrant } from '../permissions/grant.ts';
import { depthOf, EVERYWHERE } from '../permissions/place.ts';
import type { RolePermission, RoleRights } from './role.ts';

/** The permissions of each role beyond those of the role before it, lowest role first. */
const LADDER = {
  guest: ['writ.companies.view'],
  reporter: ['writ.serviceaccounts.view', 'writ.activity.view'],
  developer: [],
  maintainer: [],
  'project-admin': ['writ.roles.bind'],
  'company-owner': [
    'writ.serviceaccounts.manage',
    'writ.credentials.manage',
    'writ.roles.manage',
    'writ.resourceservers.manage',
    'writ.trustedissuers.manage',
    'writ.audit.view',
    'writ.serviceaccounts.impersonate',
  ],
} as const satisfies Record<string, readonly ManagementPermission[]>;

const RANKS: readonly string[] = Object.keys(LADDER);
const STEPS: readonly (readonly string[])[] = Object.values(LADDER);

/** The rank of a built-in role of companies, from 0 for the lowest; undefined for any other role. */
export function rankOf(roleKey: string): number | undefined {
  const rank = RANKS.indexOf(roleKey);
  return rank === -1 ? undefined : rank;
}

/** The built-in roles below a built-in role of companies, which its holders may bind; empty for any other role. */
export function lowerRoles(roleKey: string): readonly string[] {
  return RANKS.slice(0, rankOf(roleKey) ?? 0);
}

/** The ids of the built-in roles that a company's accounts may have, lowest first. */
export const BUILT_IN_ROLES: readonly string[] = RANKS;

/** The role of the first root account: it has every permission of the management API, also of later releases. */
export const ROOT_ROLE = 'root';

/** The grant of the role `root`. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key of a built-in role is its id
export const ROOT_ROLE_GRANT = { kind: 'role', roleKey: ROOT_ROLE, roleId: ROOT_ROLE, place: EVERYWHERE } as RoleGrant;

export function isBuiltIn(roleKey: string): boolean {
  return roleKey === ROOT_ROLE || rankOf(roleKey) !== undefined;
}

/** The built-in roles of companies that have all these management permissions, lowest first; `root` if none has. */
export function rolesThatGive(permissions: readonly string[]): readonly string[] {
  const among = (roleKey: string): boolean => {
    const given: readonly string[] = managementPermissionsOf(roleKey);
    return permissions.every((permission) => given.includes(permission));
  };
  const found = RANKS.filter(among);
  return found.length > 0 ? found : [ROOT_ROLE];
}

/** All permissions of a role: those that are built in and those that were written. */
export function permissionsOf({ roleKey, permissions }: RoleRights): readonly RolePermission[] {
  return [...managementPermissionsOf(roleKey).map(atManagement), ...permissions];
}

/** The built-in management permissions of a role; empty for a role that is not built in. */
export function managementPermissionsOf(roleKey: string): readonly Permission[] {
  if (roleKey === ROOT_ROLE) return (MANAGEMENT_PERMISSIONS as readonly string[]).filter(isPermission);
  const rank = rankOf(roleKey);
  return rank === undefined
    ? []
    : STEPS.slice(0, rank + 1)
        .flat()
        .filter(isPermission);
}

function atManagement(permission: Permission): RolePermission {
  return { permission, resourceServerId: 'management', qualified: false };
}

/**
 * Says why a role cannot be held at a place. `root` and `company-owner` are held at no place; below a project, which is
 * a place of one segment, only `reporter` and `maintainer` of the built-in roles can be held.
 *
 * @returns undefined when the role can be held at the place
 */
export function misplaced(roleKey: string, place: Place): string | undefined {
  const depth = depthOf(place);
  if (roleKey === ROOT_ROLE && depth > 0) return 'cannot be held at a place: it is held everywhere';
  if (roleKey === 'company-owner' && depth > 0) return 'cannot be held at a place: it is held in the whole company';
  if (rankOf(roleKey) !== undefined && depth > 1 && roleKey !== 'reporter' && roleKey !== 'maintainer') {
    return 'cannot be held below a project: only reporter and maintainer can';
  }
  return undefined;
}
