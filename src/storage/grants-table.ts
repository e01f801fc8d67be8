import type { GroupId, Permission, Place, ResourceServerId, RoleId, RoleKey } from '../domain/ids.ts';
import type { Grant } from '../domain/permissions/grant.ts';
import type { GrantStore, GrantSubject, StoredGrant } from '../domain/permissions/grant-store.ts';
import { inOrder, type WrittenPermission } from '../domain/permissions/written-grants.ts';
import { insertFromJson } from './insert-from-json.ts';
import { ofAccount } from './of-account.ts';
import { ownRows } from './owned-rows.ts';
import type { Tables } from './transaction.ts';

const COLUMNS = [
  'grant_id',
  'client_id',
  'company_id',
  'group_id',
  'kind',
  'name',
  'place',
  'resource_server',
  'qualified',
  'role_key',
];

/** SQL for the grants in scope as a JSON array; a part of other statements. */
export const GRANTS_AS_JSON = `coalesce(jsonb_agg(jsonb_build_object(
  'kind', grants.kind,
  'name', grants.name,
  'place', grants.place,
  'resource_server', grants.resource_server,
  'qualified', grants.qualified,
  'role_key', grants.role_key,
  'group_id', grants.group_id
) order by grants.name, grants.place, grants.resource_server), '[]')`;

/**
 * SQL for the grants of the account in scope, one line each, in the form in which they were written. A line has the
 * kind, the name with its place, and the id of the resource server if the grant was written with a resource server.
 */
export const GRANT_LINES = `
  select string_agg(concat_ws(' ', grants.kind, concat_ws('@', grants.name, nullif(grants.place, '')),
    case when grants.qualified then grants.resource_server end), E'\\n')
  from grants where ${ofAccount('grants')}`;

/** A grant in the JSON that {@link GRANTS_AS_JSON} writes. */
export type GrantJson = { name: string; place: Place; group_id: GroupId | null } & (
  | { kind: 'permission'; name: Permission; resource_server: ResourceServerId; qualified: boolean }
  | { kind: 'role'; name: RoleId; role_key: RoleKey }
);

export function grantFromJson(row: GrantJson): Grant {
  const { place } = row;
  return row.kind === 'role'
    ? { kind: 'role', roleKey: row.role_key, roleId: row.name, place }
    : {
        kind: 'permission',
        permission: row.name,
        place,
        resourceServerId: row.resource_server,
        qualified: row.qualified,
      };
}

/**
 * Reads {@link GRANT_LINES}.
 *
 * @param identifierOf the identifier of a resource server, by its id
 */
export function grantsFromLines(
  lines: string | null,
  identifierOf: (id: string) => string,
): { roles: string[]; permissions: WrittenPermission[] } {
  const roles: string[] = [];
  const permissions: WrittenPermission[] = [];
  for (const line of lines?.split('\n') ?? []) {
    const [kind, name = '', server] = line.split(' ');
    if (kind === 'role') roles.push(name);
    else permissions.push(server === undefined ? name : { permission: name, resource: identifierOf(server) });
  }
  return { roles: roles.toSorted(), permissions: inOrder(permissions) };
}

export function grantsTable(knex: Tables): GrantStore {
  return {
    async insert(subject, grants) {
      if (grants.length === 0) return;
      await knex.raw(`${insertFromJson('grants', COLUMNS)} on conflict do nothing`, [grantRows(subject, grants)]);
    },

    async delete(subject, grants) {
      if (grants.length === 0) return;
      const key = `kind, name, place, coalesce(role_key, resource_server)`;
      await ownRows(knex, 'grants', subject.company)
        .where(subjectColumns(subject))
        .whereRaw(`(${key}) in (select ${key} from jsonb_populate_recordset(null::grants, ?::jsonb))`, [
          JSON.stringify(grants.map(columnsOf)),
        ])
        .delete('grant_id');
    },
  };
}

/** The rows of the grants of an account or a group, as a JSON array. */
export function grantRows(subject: GrantSubject, grants: readonly StoredGrant[]): string {
  return JSON.stringify(
    grants.map((grant) => ({ grant_id: grant.grantId, ...subjectColumns(subject), ...columnsOf(grant) })),
  );
}

function subjectColumns(subject: GrantSubject): Record<string, string | null> {
  const { company } = subject;
  return 'groupId' in subject
    ? { client_id: null, group_id: subject.groupId, company_id: company ?? null }
    : { client_id: subject.clientId, group_id: null, company_id: company ?? null };
}

function columnsOf(grant: Grant): Record<string, unknown> {
  const { kind, place } = grant;
  return grant.kind === 'role'
    ? { kind, name: grant.roleId, place, role_key: grant.roleKey, qualified: false }
    : { kind, name: grant.permission, place, resource_server: grant.resourceServerId, qualified: grant.qualified };
}
