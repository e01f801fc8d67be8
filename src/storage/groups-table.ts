import type { Knex } from 'knex';
import type { Group, GroupSnapshot } from '../domain/groups/group.ts';
import type { GroupStore } from '../domain/groups/group-store.ts';
import type { ClientId, CompanyId, GroupId } from '../domain/ids.ts';
import { audiencesById, type BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import { BUILT_IN_ROLES } from '../domain/roles/built-in-roles.ts';
import { rolesByKey } from '../domain/roles/role.ts';
import { type GrantJson, grantFromJson, GRANTS_AS_JSON } from './grants-table.ts';
import { allRows, ownRows } from './owned-rows.ts';
import { lightEnough, newestFirst, pageOf, startingWith } from './paging.ts';
import { audienceFromJson, type AudienceJson, AUDIENCES_AS_JSON } from './audience-rows.ts';
import { roleFromJson, type RoleJson, ROLES_AS_JSON } from './roles-table.ts';
import { insertFromJson } from './insert-from-json.ts';
import type { Tables } from './transaction.ts';

interface GroupRow {
  company_id: CompanyId;
  group_id: GroupId;
  name: string;
  created_at: Date;
  created_by: ClientId;
  updated_at: Date;
  revision: number;
}

type GroupSnapshotRow = GroupRow & {
  members: ClientId[];
  grants: GrantJson[];
  roles: RoleJson[];
  audiences: AudienceJson[];
};

const MEMBER_COLUMNS = ['client_id', 'company_id', 'group_id'];

const OF_GROUP = 'grants.company_id = groups.company_id and grants.group_id = groups.group_id';

const ROLES_OF_GROUP = `select role_key from grants where ${OF_GROUP}`;

const PARTS = {
  members: `select coalesce(jsonb_agg(client_id order by client_id), '[]') from group_members
    where group_members.company_id = groups.company_id and group_members.group_id = groups.group_id`,
  grants: `select ${GRANTS_AS_JSON} from grants where ${OF_GROUP}`,
  // All built-in roles are read, too: a holder of a built-in role may give the built-in roles below it to others.
  // The keys are an array: with anything else, PostgreSQL would read every role.
  roles: `select ${ROLES_AS_JSON} from roles where role_key = any(array(
    ${ROLES_OF_GROUP} union all select unnest(array[${BUILT_IN_ROLES.map((roleKey) => `'${roleKey}'`).join(', ')}])))`,
  audiences: `select ${AUDIENCES_AS_JSON} from resource_servers where resource_server_id in (
    select resource_server from grants where ${OF_GROUP}
    union select resource_server from role_permissions where role_key in (${ROLES_OF_GROUP})
    union select 'management')`,
};

const NEWEST = { time: 'groups.created_at', id: 'groups.group_id' };

/** SQL for the weight of the group in scope: its members, its grants, and the permissions of its roles. */
const WEIGHT = `
  (select count(*) from group_members
    where group_members.company_id = groups.company_id and group_members.group_id = groups.group_id)
  + (select count(*) from grants where ${OF_GROUP})
  + (select count(*) from role_permissions where role_key in (${ROLES_OF_GROUP}))`;

export function groupsTable(knex: Tables, builtIn: BuiltInIdentifiers): GroupStore {
  const withParts = (groups: Knex.QueryBuilder): Knex.QueryBuilder<object, GroupSnapshotRow[]> =>
    groups.select<GroupSnapshotRow[]>(
      'groups.*',
      ...Object.entries(PARTS).map(([name, part]) => knex.raw(`(${part}) as ${name}`)),
    );
  const snapshots = (company: CompanyId): Knex.QueryBuilder<object, GroupSnapshotRow[]> =>
    withParts(ownRows(knex, 'groups', company));

  return {
    async find(company, groupId) {
      const [row] = await snapshots(company).where('groups.group_id', groupId);
      return row && snapshotFromRow(row, builtIn);
    },

    async insert(group) {
      const inserted: unknown[] = await allRows(knex, 'groups')
        .insert(rowOf(group))
        .onConflict()
        .ignore()
        .returning('group_id');
      return inserted.length > 0;
    },

    async lock(company, groupIds) {
      if (groupIds.length === 0) return [];
      // Lock first, then read: a single statement would read members and grants as they were before it got the locks.
      // The fixed order prevents deadlocks between transactions that lock several groups.
      await ownRows(knex, 'groups', company)
        .whereIn('group_id', [...groupIds])
        .orderBy('group_id')
        .forNoKeyUpdate()
        .select('group_id');
      const rows = await snapshots(company)
        .whereIn('groups.group_id', [...groupIds])
        .orderBy('groups.group_id');
      return rows.map((row) => snapshotFromRow(row, builtIn));
    },

    async list(company, { search }, page) {
      const query = ownRows(knex, 'groups', company);
      if (search !== undefined) void startingWith(query, search, 'lower(groups.group_id)', 'lower(groups.name)');
      newestFirst(query, NEWEST, page);
      return pageOf(
        await withParts(lightEnough(knex, 'groups', query, NEWEST, WEIGHT)),
        page,
        (row) => snapshotFromRow(row, builtIn),
        ({ group }) => ({ time: group.createdAt, id: group.groupId }),
      );
    },

    async update(group) {
      await ownRows(knex, 'groups', group.company).where({ group_id: group.groupId }).update(rowOf(group));
    },

    async touch(company, groupIds, at) {
      if (groupIds.length === 0) return;
      await ownRows(knex, 'groups', company)
        .whereIn('group_id', [...groupIds])
        .update({ updated_at: at, revision: knex.raw('revision + 1') });
    },

    async delete({ company, groupId }) {
      await ownRows(knex, 'groups', company).where({ group_id: groupId }).delete('group_id');
    },

    async addMembers(company, groupIds, members) {
      const rows = groupIds.flatMap((groupId) =>
        members.map((clientId) => ({ client_id: clientId, company_id: company, group_id: groupId })),
      );
      if (rows.length === 0) return;
      await knex.raw(`${insertFromJson('group_members', MEMBER_COLUMNS)} on conflict do nothing`, [
        JSON.stringify(rows),
      ]);
    },

    async mostMemberships(company, clientIds) {
      const { rows } = await knex.raw<{ rows: { most: number }[] }>(
        `select coalesce(max(memberships), 0)::int as most from (
           select count(*) as memberships from group_members where company_id = ? and client_id = any(?) group by client_id
         ) as counted`,
        [company, [...clientIds]],
      );
      return rows[0]?.most ?? 0;
    },

    async removeMembers(company, groupIds, members) {
      if (groupIds.length === 0 || members.length === 0) return;
      await ownRows(knex, 'group_members', company)
        .whereIn('group_id', [...groupIds])
        .whereIn('client_id', [...members])
        .delete('client_id');
    },
  };
}

function rowOf(group: Group): GroupRow {
  return {
    company_id: group.company,
    group_id: group.groupId,
    name: group.name,
    created_at: group.createdAt,
    created_by: group.createdBy,
    updated_at: group.updatedAt,
    revision: group.revision,
  };
}

function snapshotFromRow(row: GroupSnapshotRow, builtIn: BuiltInIdentifiers): GroupSnapshot {
  return {
    group: {
      company: row.company_id,
      groupId: row.group_id,
      name: row.name,
      createdAt: row.created_at,
      createdBy: row.created_by,
      updatedAt: row.updated_at,
      revision: row.revision,
    },
    members: row.members,
    grants: row.grants.map(grantFromJson),
    roles: rolesByKey(row.roles.map(roleFromJson)),
    audiences: audiencesById(row.audiences.map((audience) => audienceFromJson(audience, builtIn))),
  };
}
