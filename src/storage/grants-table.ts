import type { Knex } from 'knex';
import type { GrantStore, StoredGrant } from '../domain/permissions/grant-store.ts';
import type { Grant, RoleId } from '../domain/permissions/grant.ts';
import type { Permission } from '../domain/permissions/permission.ts';
import type { ResourceServerId } from '../domain/permissions/resource-server.ts';
import type { AccountKey } from '../domain/service-accounts/service-account.ts';
import { rowsFromJson } from './rows-from-json.ts';
import { ofAccount } from './of-account.ts';

/** The grants of the account in scope as a JSON array; a part of the snapshot's statement. */
export const GRANTS_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', grants.kind,
    'name', grants.name,
    'resource_server', grants.resource_server
  ) order by grants.name, grants.resource_server), '[]')
  from grants where ${ofAccount('grants')}`;

/** The kinds and names of the grants of the account in scope, such as `role:root permission:orders:read`. */
export const GRANT_NAMES = `
  select string_agg(grants.kind || ':' || grants.name, ' ') from grants
  where ${ofAccount('grants')}`;

/** A row as {@link GRANTS_AS_JSON} writes it. */
export type GrantJson =
  | { kind: 'permission'; name: Permission; resource_server: ResourceServerId }
  | { kind: 'role'; name: RoleId; resource_server: ResourceServerId };

export function grantFromJson(row: GrantJson): Grant {
  return row.kind === 'role'
    ? { kind: 'role', roleId: row.name }
    : { kind: 'permission', permission: row.name, resourceServerId: row.resource_server };
}

export function grantsTable(knex: Knex): GrantStore {
  return {
    async insert(account, grants) {
      if (grants.length === 0) return;
      await knex.raw(`insert into grants ${rowsFromJson('grants')}`, [grantRows(account, grants)]);
    },

    async delete({ clientId, company }, grants) {
      if (grants.length === 0) return;
      await knex('grants')
        .where({ client_id: clientId, company_id: company ?? null })
        .whereIn(
          ['kind', 'name', 'resource_server'],
          grants.map(columnsOf).map(({ kind, name, resource_server: server }) => [kind, name, server]),
        )
        .delete('grant_id');
    },
  };
}

/** The rows of an account's grants, as a JSON array. */
export function grantRows({ clientId, company }: AccountKey, grants: readonly StoredGrant[]): string {
  return JSON.stringify(
    grants.map((grant) => ({
      grant_id: grant.grantId,
      client_id: clientId,
      company_id: company ?? null,
      ...columnsOf(grant),
    })),
  );
}

function columnsOf(grant: Grant): { kind: Grant['kind']; name: string; resource_server: ResourceServerId } {
  return grant.kind === 'role'
    ? { kind: 'role', name: grant.roleId, resource_server: 'management' }
    : { kind: 'permission', name: grant.permission, resource_server: grant.resourceServerId };
}
