import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import { askedIn, bindGrants } from '../permissions/rules/bind-grants.ts';
import type { WrittenPermission } from '../permissions/written-grants.ts';
import type { PermissionGrant } from '../permissions/grant.ts';
import { EVERYWHERE } from '../permissions/place.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { Stores } from '../storage.ts';
import { permissionsOf } from './built-in-roles.ts';
import type { Role, RolePermission } from './role.ts';

/** The most permissions of one role. */
const MOST_PERMISSIONS = 1000;

/**
 * Binds the permissions of a role to resource servers.
 *
 * @param builtIn the role, if it is a built-in role: `wanted` may or may not name its built-in permissions
 * @returns the bound permissions, without those that are built in
 * @throws DomainError `invalid_value`, `ambiguous_permission`, `limit_reached`
 */
export async function bindRolePermissions(
  stores: Stores,
  company: CompanyId | undefined,
  wanted: readonly WrittenPermission[],
  builtIn?: Role,
): Promise<{ permissions: RolePermission[]; audiences: Audiences }> {
  if (wanted.length > MOST_PERMISSIONS) {
    throw new DomainError('limit_reached', `A role has at most ${MOST_PERMISSIONS} permissions`);
  }
  const { grants, audiences } = await bindGrants(stores, company, {
    permissions: askedIn('permissions', wanted),
    roles: [],
  });
  const permissions = grants.filter((grant) => grant.kind === 'permission');
  const placed = permissions.find(({ place }) => place !== EVERYWHERE);
  if (placed !== undefined) {
    throw wrong(wanted, placed, 'must not name a place: the grant of a role does');
  }
  if (builtIn === undefined) return { permissions: permissions.map(member), audiences };
  const own = permissionsOf({ ...builtIn, permissions: [] });
  const further = permissions.filter((permission) => !own.some((one) => samePermission(one, permission)));
  const foreign = further.find(({ resourceServerId }) => resourceServerId === 'management');
  if (foreign !== undefined) {
    throw wrong(wanted, foreign, 'cannot be added: a built-in role takes permissions of other resource servers only');
  }
  return { permissions: further.map(member), audiences };
}

function wrong(wanted: readonly WrittenPermission[], { permission }: PermissionGrant, message: string): DomainError {
  const index = wanted.findIndex(
    (one) => (typeof one === 'string' ? one : one.permission).split('@')[0] === permission,
  );
  return new DomainError('invalid_value', 'Some permissions cannot be part of the role', {
    fields: [{ pointer: `/permissions/${index}`, message }],
  });
}

function member({ permission, resourceServerId, qualified }: PermissionGrant): RolePermission {
  return { permission, resourceServerId, qualified };
}

export function samePermission(one: RolePermission, other: RolePermission): boolean {
  return one.permission === other.permission && one.resourceServerId === other.resourceServerId;
}

/**
 * Keeps the resource servers of permissions that stay. A permission that was written without a resource server keeps
 * its resource server, even if another one has declared its name since.
 */
export function keepingBindings(before: Role, wanted: readonly RolePermission[]): RolePermission[] {
  const kept = wanted.map((one) => {
    if (one.qualified) return one;
    return before.permissions.find((own) => !own.qualified && own.permission === one.permission) ?? one;
  });
  return [...new Map(kept.map((one) => [`${one.permission} ${one.resourceServerId}`, one])).values()];
}
