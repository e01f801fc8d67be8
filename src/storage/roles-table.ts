import type { Knex } from 'knex';
import type { ClientId, CompanyId, Permission, ResourceServerId, RoleId, RoleKey } from '../domain/ids.ts';
import type { Use } from '../domain/resource-servers/resource-server-store.ts';
import { ROOT_ROLE } from '../domain/roles/built-in-roles.ts';
import type { RoleStore } from '../domain/roles/role-store.ts';
import type { Role, RoleRights } from '../domain/roles/role.ts';
import { allRows, ownRows, seenRows } from './owned-rows.ts';
import { lightEnough, newestFirst, pageOf, startingWith } from './paging.ts';
import type { Tables } from './transaction.ts';

/** A role and its permissions, in the JSON that {@link ROLES_AS_JSON} writes. */
export interface RoleJson {
  role_key: RoleKey;
  role_id: RoleId;
  permissions: { permission: Permission; resource_server: ResourceServerId; qualified: boolean }[];
}

interface RoleRow extends RoleJson {
  company_id: CompanyId | null;
  name: string;
  description: string | null;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
  revision: number;
}

const PERMISSIONS_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object(
    'permission', permission, 'resource_server', resource_server, 'qualified', qualified
  ) order by permission, resource_server), '[]')
  from role_permissions where role_permissions.role_key = roles.role_key`;

/** SQL for the roles in scope as a JSON array; a part of other statements. */
export const ROLES_AS_JSON = `coalesce(jsonb_agg(jsonb_build_object(
  'role_key', roles.role_key, 'role_id', roles.role_id, 'permissions', (${PERMISSIONS_AS_JSON}))), '[]')`;

export function roleFromJson(row: RoleJson): RoleRights {
  return {
    roleKey: row.role_key,
    roleId: row.role_id,
    permissions: row.permissions.map(({ permission, resource_server: resourceServerId, qualified }) => ({
      permission,
      resourceServerId,
      qualified,
    })),
  };
}

/** SQL for the number of permissions of the role in scope. */
const SIZE = 'select count(*)::int from role_permissions where role_permissions.role_key = roles.role_key';

const NEWEST = { time: 'created_at', id: 'role_key' };

type RoleRows = Knex.QueryBuilder<object, RoleRow[]>;

export function rolesTable(knex: Tables): RoleStore {
  const roles = (query: Knex.QueryBuilder): RoleRows =>
    query.select<RoleRow[]>('roles.*', knex.raw(`(${PERMISSIONS_AS_JSON}) as permissions`));

  /** A role of the company comes before the role of root with the same id. */
  const meant = (query: RoleRows, roleIds: readonly RoleId[]): RoleRows =>
    query.whereIn('role_id', [...roleIds]).orderByRaw('company_id nulls last');

  const firstOfEach = (rows: readonly RoleRow[]): Role[] => {
    const found = new Map<RoleId, Role>();
    for (const row of rows) if (!found.has(row.role_id)) found.set(row.role_id, roleFromRow(row));
    return [...found.values()];
  };

  async function permit({ roleKey, permissions }: Pick<Role, 'roleKey' | 'permissions'>): Promise<void> {
    if (permissions.length === 0) return;
    await knex('role_permissions').insert(
      permissions.map(({ permission, resourceServerId, qualified }) => ({
        role_key: roleKey,
        permission,
        resource_server: resourceServerId,
        qualified,
      })),
    );
  }

  return {
    async insert(role) {
      const inserted: unknown[] = await allRows(knex, 'roles')
        .insert(rowOf(role))
        .onConflict()
        .ignore()
        .returning('role_key');
      if (inserted.length > 0) await permit(role);
      return inserted.length > 0;
    },

    async find(company, roleId) {
      const [role] = firstOfEach(await meant(roles(seenBy(knex, company)), [roleId]));
      return role;
    },

    async sizes(company, roleIds) {
      const rows: { role_id: RoleId; size: number }[] = await seenBy(knex, company)
        .whereIn('role_id', [...roleIds])
        // A role of the company comes last, and so replaces the role of root with the same id.
        .orderByRaw('company_id nulls first')
        .select('role_id', knex.raw(`(${SIZE}) as size`));
      return new Map(rows.map(({ role_id: roleId, size }) => [roleId, size]));
    },

    async visible(company, roleIds) {
      // Lock first, then read: a single statement would read the permissions as they were before it got the locks.
      await seenBy(knex, company)
        .whereIn('role_id', [...roleIds])
        .forKeyShare()
        .select('role_key');
      return firstOfEach(await meant(roles(seenBy(knex, company)), roleIds));
    },

    async lock(roleKey) {
      await allRows(knex, 'roles').where({ role_key: roleKey }).forUpdate().select('role_key');
      const [row] = await roles(allRows(knex, 'roles').where({ role_key: roleKey }));
      return row && roleFromRow(row);
    },

    async list(company, { search }, page) {
      const query = seenBy(knex, company);
      if (search !== undefined) void startingWith(query, search, 'lower(role_id)', 'lower(name)');
      newestFirst(query, NEWEST, page);
      return pageOf(
        await roles(lightEnough(knex, 'roles', query, NEWEST, SIZE)),
        page,
        roleFromRow,
        ({ createdAt: time, roleKey: id }) => ({ time, id }),
      );
    },

    async update(role, { added, removed }) {
      const { roleKey } = role;
      await ownRows(knex, 'roles', role.company).where({ role_key: roleKey }).update(rowOf(role));
      const gone = removed.map(({ permission, resourceServerId }) => [permission, resourceServerId]);
      if (gone.length > 0) {
        await knex('role_permissions')
          .where({ role_key: roleKey })
          .whereIn(['permission', 'resource_server'], gone)
          .delete('permission');
      }
      await permit({ roleKey, permissions: added });
    },

    async delete(roleKey) {
      await allRows(knex, 'roles').where({ role_key: roleKey }).delete('role_key');
    },

    async uses(roleKey, limit) {
      return allRows(knex, 'grants')
        .where({ role_key: roleKey })
        .orderByRaw('client_id, group_id')
        .limit(limit)
        .select<Pick<Use, 'by' | 'id'>[]>(
          knex.raw(`case when client_id is null then 'group' else 'service_account' end as by`),
          knex.raw('coalesce(client_id, group_id) as id'),
        );
    },
  };
}

/**
 * The roles that a company sees: the built-in roles, the roles of root, and its own. The role `root` is left out: only
 * root accounts may have it.
 */
function seenBy(knex: Tables, company: CompanyId | undefined): Knex.QueryBuilder {
  const rows = seenRows(knex, 'roles', company);
  return company === undefined ? rows : rows.whereNot('roles.role_key', ROOT_ROLE);
}

function rowOf(role: Role): Record<string, unknown> {
  return {
    role_key: role.roleKey,
    company_id: role.company ?? null,
    role_id: role.roleId,
    name: role.name,
    description: role.description ?? null,
    created_at: role.createdAt,
    created_by: role.createdBy ?? null,
    updated_at: role.updatedAt,
    revision: role.revision,
  };
}

function roleFromRow(row: RoleRow): Role {
  return {
    ...roleFromJson(row),
    company: row.company_id ?? undefined,
    name: row.name,
    description: row.description ?? undefined,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}
