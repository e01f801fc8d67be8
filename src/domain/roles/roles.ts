import { assertPermissions, assertRoom, keepOwner } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { AuditEntry } from '../audit/audit-event.ts';
import { differences } from '../audit/differences.ts';
import type { Clock } from '../clock.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { DomainError } from '../domain-error.ts';
import { type CompanyId, newRoleKey, type RandomId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertMayGrant } from '../permissions/rules/may-grant.ts';
import { EVERYWHERE } from '../permissions/place.ts';
import { type WrittenPermission, writtenMembers } from '../permissions/written-grants.ts';
import { type Announcement, everyoneIn } from '../announcement.ts';
import { assertUnused, MOST_NAMED, takenFrom } from '../resource-servers/in-use.ts';
import { type Audiences, audiencesById } from '../resource-servers/resource-server.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import { slugFor } from '../slug.ts';
import type { Storage, Stores } from '../storage.ts';
import { isBuiltIn, permissionsOf, ROOT_ROLE } from './built-in-roles.ts';
import type { RoleFilter } from './role-store.ts';
import { bindRolePermissions, keepingBindings, samePermission } from './role-permissions.ts';
import { isRoleId, type Role, type RolePermission } from './role.ts';

/** The input for creating a role. */
export interface NewRole {
  /** Undefined: the id is made from the name. */
  readonly roleId: string | undefined;
  readonly name: string;
  readonly description: string | undefined;
  readonly permissions: readonly WrittenPermission[];
}

/** The wanted changes of a role. Undefined leaves a member as it is; null deletes it. */
export interface RoleChanges {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  /** All permissions, instead of the present ones; the built-in permissions of a built-in role stay. */
  readonly permissions?: readonly WrittenPermission[] | undefined;
}

/** A role as the management API shows it, with its built-in and its written permissions. */
export interface ShownRole {
  readonly role: Role;
  readonly builtIn: boolean;
  readonly permissions: readonly WrittenPermission[];
}

/** The use cases of roles. Every company sees the built-in roles, root's roles and its own. */
export interface Roles {
  /**
   * @throws DomainError `not_found` if there is no such company, `invalid_value`, `ambiguous_permission`, `forbidden`,
   *   `limit_reached`, or `already_exists`
   */
  create(caller: Caller, company: CompanyId | undefined, input: NewRole): Promise<ShownRole>;
  /** @throws DomainError `not_found` */
  get(company: CompanyId | undefined, id: string): Promise<ShownRole>;
  /** Lists the roles that a company, or root, can grant; newest first. */
  list(company: CompanyId | undefined, filter: RoleFilter, page: PageRequest): Promise<Page<ShownRole>>;
  /**
   * @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `ambiguous_permission`, `forbidden`,
   *   `limit_reached`
   */
  change(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    expected: ExpectedRevisions,
    changes: RoleChanges,
  ): Promise<ShownRole>;
  /**
   * @param cascade whether the role is removed from the accounts and groups that have it; false: a used role is refused
   * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `in_use`
   */
  delete(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    expected: ExpectedRevisions,
    cascade: boolean,
  ): Promise<void>;
}

export function createRoles({
  storage,
  clock,
  randomId,
  limits,
}: {
  storage: Storage;
  clock: Clock;
  randomId: RandomId;
  /** The limits of companies without limits of their own. */
  limits: Limits;
}): Roles {
  return {
    async create(caller, company, input) {
      const roleId = input.roleId ?? slugFor(input.name, 'role', randomId);
      if (!isRoleId(roleId)) {
        throw new DomainError('invalid_value', 'This is no id of a role', {
          fields: [{ pointer: '/roleId', message: 'must be of A-Z a-z 0-9 . _ -' }],
        });
      }
      const now = clock();
      return storage.write(originOf(caller), async (stores) => {
        const owner = await keepOwner(stores, company);
        const { permissions, audiences } = await bindRolePermissions(stores, company, input.permissions);
        const role: Role = {
          roleKey: newRoleKey(randomId),
          roleId,
          company,
          name: input.name,
          description: input.description,
          permissions,
          createdAt: now,
          createdBy: caller.clientId,
          updatedAt: now,
          revision: 1,
        };
        await assertMayGive(stores, caller, role, permissions, audiences);
        const taken = isBuiltIn(roleId) || (await stores.roles.find(company, roleId)) !== undefined;
        if (taken || !(await stores.roles.insert(role))) {
          throw new DomainError('already_exists', `A role with the id ${roleId} exists`, {
            fields: [{ pointer: '/roleId', message: 'is taken' }],
            existing: roleId,
          });
        }
        await assertRoom(stores, owner, limits, { roles: 1 }, now);
        const result = shown(role, audiences);
        return {
          result,
          audit: [entry('role.created', role, { name: role.name, permissions: result.permissions })],
        };
      });
    },

    async get(company, id) {
      const role = await found(storage.read, company, id);
      return shown(role, await audiencesOf(storage.read, [role]));
    },

    async list(company, filter, page) {
      const { items, next } = await storage.read.roles.list(company, filter, page);
      const audiences = await audiencesOf(storage.read, items);
      return { items: items.map((role) => shown(role, audiences)), next };
    },

    change: (caller, company, id, expected, changes) =>
      storage.write(originOf(caller), async (stores) => {
        const { owner, role: before } = await lockOwn(stores, company, id);
        assertRevision(before.revision, expected);
        if (before.roleKey === ROOT_ROLE) throw new DomainError('forbidden', 'The role root cannot be changed');
        const audiencesBefore = await audiencesOf(stores, [before]);
        const was = shown(before, audiencesBefore);
        const wanted =
          changes.permissions === undefined
            ? undefined
            : await bindRolePermissions(
                stores,
                company,
                changes.permissions,
                isBuiltIn(before.roleKey) ? before : undefined,
              );
        const permissions = wanted === undefined ? before.permissions : keepingBindings(before, wanted.permissions);
        const audiences = new Map([...audiencesBefore, ...(wanted?.audiences ?? [])]);
        const after: Role = {
          ...before,
          name: changes.name ?? before.name,
          description: changes.description === undefined ? before.description : (changes.description ?? undefined),
          permissions,
        };
        const without = (some: readonly RolePermission[], others: readonly RolePermission[]): RolePermission[] =>
          some.filter((permission) => !others.some((one) => samePermission(one, permission)));
        const added = without(permissions, before.permissions);
        const removed = without(before.permissions, permissions);
        await assertMayGive(stores, caller, after, added, audiences);
        const is = shown(after, audiences);
        const details = {
          ...differences(before, after, ['name', 'description']),
          ...differences(was, is, ['permissions']),
        };
        if (Object.keys(details).length === 0) return { result: was, audit: [] };
        const changed = { ...after, updatedAt: clock(), revision: before.revision + 1 };
        await stores.roles.update(changed, { added, removed });
        if (added.length > 0) {
          const most = await stores.serviceAccounts.mostEffective({ roleKey: before.roleKey });
          assertPermissions(owner, limits, most);
        }
        const affected = added.length + removed.length > 0 ? everyoneIn(company) : [];
        return { result: { ...is, role: changed }, audit: [entry('role.changed', changed, details, affected)] };
      }),

    delete: (caller, company, id, expected, cascade) =>
      storage.write(originOf(caller), async (stores) => {
        const { role } = await lockOwn(stores, company, id);
        assertRevision(role.revision, expected);
        if (isBuiltIn(role.roleKey)) throw new DomainError('forbidden', 'A built-in role cannot be deleted');
        const uses = await stores.roles.uses(role.roleKey, MOST_NAMED + 1);
        if (!cascade) assertUnused(uses);
        await stores.roles.delete(role.roleKey);
        const details = { name: role.name, ...takenFrom(uses) };
        return { result: undefined, audit: [entry('role.deleted', role, details, everyoneIn(company))] };
      }),
  };
}

/**
 * Refuses permissions that the caller may not grant everywhere: every holder of the role gets them, at any place.
 *
 * @throws DomainError `forbidden`
 */
async function assertMayGive(
  stores: Stores,
  caller: Caller,
  { roleKey, company }: Role,
  permissions: readonly RolePermission[],
  audiences: Audiences,
): Promise<void> {
  await assertMayGrant(
    stores,
    caller,
    permissions.map((permission) => ({ ...permission, kind: 'permission', place: EVERYWHERE })),
    { company, self: caller.roles.some((own) => own.roleKey === roleKey), roles: new Map(), audiences },
  );
}

async function found(stores: Stores, company: CompanyId | undefined, id: string): Promise<Role> {
  return (isRoleId(id) ? await stores.roles.find(company, id) : undefined) ?? noSuchRole();
}

async function lockOwn(
  stores: Stores,
  company: CompanyId | undefined,
  id: string,
): Promise<{ owner: KeptCompany | undefined; role: Role }> {
  // Lock the company before the role: the deletion of a company locks in the same order.
  const owner = company === undefined ? undefined : await stores.companies.keep(company);
  const role = await found(stores, company, id);
  if (role.company !== company) throw new DomainError('forbidden', "The role is root's");
  return { owner, role: (await stores.roles.lock(role.roleKey)) ?? noSuchRole() };
}

async function audiencesOf({ resourceServers }: Stores, roles: readonly Role[]): Promise<Audiences> {
  const ids = new Set(roles.flatMap(({ permissions }) => permissions.map(({ resourceServerId }) => resourceServerId)));
  return audiencesById(await resourceServers.audiences([...ids]));
}

function shown(role: Role, audiences: Audiences): ShownRole {
  return {
    role,
    builtIn: isBuiltIn(role.roleKey),
    permissions: writtenMembers(permissionsOf(role), audiences),
  };
}

function entry(
  action: AuditEntry['action'],
  { roleId, company }: Role,
  details: Readonly<Record<string, unknown>>,
  announces: readonly Announcement[] = [],
): AuditEntry {
  return { action, target: roleId, company, details, announces };
}

function noSuchRole(): never {
  throw new DomainError('not_found', 'There is no such role');
}
