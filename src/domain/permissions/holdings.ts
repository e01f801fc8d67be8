import type { CompanyId } from '../ids.ts';
import type { Grant, RoleId } from './grant.ts';
import { MANAGEMENT_PERMISSIONS, ROOT_ONLY } from './management-permissions.ts';
import { isPermission, type Permission } from './permission.ts';
import type { ResourceServerId } from './resource-server.ts';

/** What an account may do, per resource server; the names are sorted. */
export type Holdings = ReadonlyMap<ResourceServerId, ReadonlySet<Permission>>;

const ROLE_PERMISSIONS: Record<RoleId, readonly Permission[]> = {
  root: (MANAGEMENT_PERMISSIONS as readonly string[]).filter(isPermission),
};

/**
 * Works out from an account's grants what it may do where.
 *
 * @param company the one that the account belongs to: then nothing counts that reaches beyond it, whatever was granted
 */
export function holdingsOf(grants: readonly Grant[], company: CompanyId | undefined): Holdings {
  const held = new Map<ResourceServerId, Permission[]>();
  const add = (resourceServerId: ResourceServerId, granted: readonly Permission[]): void => {
    const permissions =
      company !== undefined && resourceServerId === 'management'
        ? granted.filter((permission) => !ROOT_ONLY.has(permission))
        : granted;
    held.set(resourceServerId, [...(held.get(resourceServerId) ?? []), ...permissions]);
  };
  for (const grant of grants) {
    switch (grant.kind) {
      case 'permission':
        add(grant.resourceServerId, [grant.permission]);
        break;
      case 'role':
        if (company === undefined) add('management', ROLE_PERMISSIONS[grant.roleId]);
        break;
    }
  }
  return new Map([...held].map(([id, permissions]) => [id, new Set(permissions.toSorted())]));
}
