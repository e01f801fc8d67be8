import type { CompanyId, RoleId, RoleKey } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Use } from '../resource-servers/resource-server-store.ts';
import type { Role, RolePermission } from './role.ts';

/** Which roles are wanted; what is undefined does not matter. */
export interface RoleFilter {
  /** Prefix of the id or the name, whatever its case. */
  readonly search?: string | undefined;
}

export interface RoleStore {
  /** @returns false, and changes nothing, when the company, or root, has one of that id */
  insert(role: Role): Promise<boolean>;
  /** The one that a company, or root, means by an id: its own, else root's or a built-in one. */
  find(company: CompanyId | undefined, roleId: RoleId): Promise<Role | undefined>;
  /** How many permissions each of these has that a company, or root, means by an id, beside what is built in. */
  sizes(company: CompanyId | undefined, roleIds: readonly RoleId[]): Promise<ReadonlyMap<RoleId, number>>;
  /** As `find` for each of these ids; nobody changes or deletes them until the end of the transaction. */
  visible(company: CompanyId | undefined, roleIds: readonly RoleId[]): Promise<Role[]>;
  /** Reads it anew, and nobody changes it or gives it to anybody until the end of the transaction. */
  lock(roleKey: RoleKey): Promise<Role | undefined>;
  /** Those that a company, or root, can give; newest first. */
  list(company: CompanyId | undefined, filter: RoleFilter, page: PageRequest): Promise<Page<Role>>;
  /** Changes it, and of its permissions just these. */
  update(
    role: Role,
    permissions: { readonly added: readonly RolePermission[]; readonly removed: readonly RolePermission[] },
  ): Promise<void>;
  /** Deletes it, and takes it from everybody. */
  delete(roleKey: RoleKey): Promise<void>;
  /** Who has it. */
  uses(roleKey: RoleKey, limit: number): Promise<Pick<Use, 'by' | 'id'>[]>;
}
