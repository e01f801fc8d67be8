import type { CompanyId, RoleId, RoleKey } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Use } from '../resource-servers/resource-server-store.ts';
import type { Role, RolePermission } from './role.ts';

/** A filter of roles; undefined members do not restrict it. */
export interface RoleFilter {
  /** A prefix of the id or the name; case does not matter. */
  readonly search?: string | undefined;
}

export interface RoleStore {
  /** @returns false, and changes nothing, when the company, or root, has a role with this id */
  insert(role: Role): Promise<boolean>;
  /** Finds the role that an id names for a company, or for root: its own role, else root's role or a built-in role. */
  find(company: CompanyId | undefined, roleId: RoleId): Promise<Role | undefined>;
  /** Finds roles as `find` does. @returns how many written permissions each role has */
  sizes(company: CompanyId | undefined, roleIds: readonly RoleId[]): Promise<ReadonlyMap<RoleId, number>>;
  /** As `find` for several ids; nobody changes or deletes these roles until the end of the transaction. */
  visible(company: CompanyId | undefined, roleIds: readonly RoleId[]): Promise<Role[]>;
  /** Reads a role anew. Nobody changes the role or grants it until the end of the transaction. */
  lock(roleKey: RoleKey): Promise<Role | undefined>;
  /** Lists the roles that a company, or root, can grant; newest first. */
  list(company: CompanyId | undefined, filter: RoleFilter, page: PageRequest): Promise<Page<Role>>;
  /** Writes the members of a role, and adds and removes these of its permissions. */
  update(
    role: Role,
    permissions: { readonly added: readonly RolePermission[]; readonly removed: readonly RolePermission[] },
  ): Promise<void>;
  /** Deletes a role and all grants of it. */
  delete(roleKey: RoleKey): Promise<void>;
  /** Lists the accounts and groups that have a role. */
  uses(roleKey: RoleKey, limit: number): Promise<Pick<Use, 'by' | 'id'>[]>;
}
