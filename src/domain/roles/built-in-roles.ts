import type { Permission, Place } from '../ids.ts';
import { MANAGEMENT_PERMISSIONS, type ManagementPermission } from '../permissions/management-permissions.ts';
import { isPermission } from '../permissions/permission.ts';
import type { RoleGrant } from '../permissions/grant.ts';
import { depthOf, EVERYWHERE } from '../permissions/place.ts';
import type { RolePermission, RoleRights } from './role.ts';

/** What each of them may do that the one before may not, lowest first. */
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

/** How high a built-in role stands among those that a company's accounts may have, from 0; undefined for any other. */
export function rankOf(roleKey: string): number | undefined {
  const rank = RANKS.indexOf(roleKey);
  return rank === -1 ? undefined : rank;
}

/** The built-in roles below one, which its holders may bind; none for any other role. */
export function lowerRoles(roleKey: string): readonly string[] {
  return RANKS.slice(0, rankOf(roleKey) ?? 0);
}

/** The ids of the built-in roles that a company's accounts may have, lowest first. */
export const BUILT_IN_ROLES: readonly string[] = RANKS;

/** The role of the first root account: every permission of the management API, also those that come later. */
export const ROOT_ROLE = 'root';

/** That it is held. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key of a built-in role is its id
export const ROOT_ROLE_GRANT = { kind: 'role', roleKey: ROOT_ROLE, roleId: ROOT_ROLE, place: EVERYWHERE } as RoleGrant;

export function isBuiltIn(roleKey: string): boolean {
  return roleKey === ROOT_ROLE || rankOf(roleKey) !== undefined;
}

/** The built-in roles that have all of these permissions of the management API, lowest first; `root` has every one. */
export function rolesThatGive(permissions: readonly string[]): readonly string[] {
  const among = (roleKey: string): boolean => {
    const given: readonly string[] = managementPermissionsOf(roleKey);
    return permissions.every((permission) => given.includes(permission));
  };
  const found = RANKS.filter(among);
  return found.length > 0 ? found : [ROOT_ROLE];
}

/** Everything that a role gives where it is held. */
export function permissionsOf({ roleKey, permissions }: RoleRights): readonly RolePermission[] {
  return [...managementPermissionsOf(roleKey).map(atManagement), ...permissions];
}

/** What a role may do at the management API because it is built in. */
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
 * Why a built-in role cannot be held at a place: `company-owner` is of the company as a whole, and what is below a
 * project takes `reporter` and `maintainer` only.
 *
 * @returns undefined when it can
 */
export function misplaced(roleKey: string, place: Place): string | undefined {
  const depth = depthOf(place);
  if (roleKey === ROOT_ROLE && depth > 0) return 'is held everywhere, at no place';
  if (roleKey === 'company-owner' && depth > 0) return 'is held at the company as a whole, at no place';
  if (rankOf(roleKey) !== undefined && depth > 1 && roleKey !== 'reporter' && roleKey !== 'maintainer') {
    return 'is not held below a project: reporter and maintainer are';
  }
  return undefined;
}
