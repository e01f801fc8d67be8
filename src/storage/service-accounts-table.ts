import type { Knex } from 'knex';
import type { ClientId } from '../domain/ids.ts';
import { holdingsOf } from '../domain/permissions/holdings.ts';
import type { ResourceServerId } from '../domain/permissions/resource-server.ts';
import type { ServiceAccountStore } from '../domain/service-accounts/service-account-store.ts';
import type { AccountSnapshot, ServiceAccount } from '../domain/service-accounts/service-account.ts';
import { CREDENTIALS_AS_JSON, credentialFromJson, type CredentialJson } from './credentials-table.ts';
import { GRANTS_AS_JSON, grantFromJson, type GrantJson } from './grants-table.ts';

interface ServiceAccountRow {
  client_id: ClientId;
  slug: string;
  name: string;
  audience: ResourceServerId;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
}

type SnapshotRow = ServiceAccountRow & { credentials: CredentialJson[]; grants: GrantJson[] };

const COLUMNS = ['client_id', 'slug', 'name', 'audience', 'created_at', 'created_by', 'updated_at'].map(
  (column) => `service_accounts.${column}`,
);

export function serviceAccountsTable(knex: Knex): ServiceAccountStore {
  const snapshots = (): Knex.QueryBuilder<object, SnapshotRow[]> =>
    knex('service_accounts').select<SnapshotRow[]>(
      ...COLUMNS,
      knex.raw(`(${CREDENTIALS_AS_JSON}) as credentials`),
      knex.raw(`(${GRANTS_AS_JSON}) as grants`),
    );

  return {
    async insert(account) {
      const inserted: unknown[] = await knex('service_accounts')
        .insert({
          client_id: account.clientId,
          slug: account.slug,
          name: account.name,
          audience: account.audience,
          created_at: account.createdAt,
          created_by: account.createdBy ?? null,
          updated_at: account.updatedAt,
        })
        .onConflict()
        .ignore()
        .returning('client_id');
      return inserted.length > 0;
    },

    async findBySlug(slug) {
      const row = await knex<ServiceAccountRow>('service_accounts')
        .where({ slug })
        .first(...COLUMNS);
      return row && accountFromRow(row);
    },

    async findSnapshot(clientId) {
      const [row] = await snapshots().where('service_accounts.client_id', clientId);
      return row && snapshotFromRow(row);
    },

    async listSnapshots() {
      const rows = await snapshots().orderBy([
        { column: 'service_accounts.created_at', order: 'desc' },
        { column: 'service_accounts.client_id', order: 'desc' },
      ]);
      return rows.map(snapshotFromRow);
    },

    async delete(clientId, at) {
      const deleted: unknown[] = await knex('service_accounts').where({ client_id: clientId }).delete('client_id');
      if (deleted.length === 0) return false;
      await knex('retired_ids').insert({ id: clientId, retired_at: at });
      return true;
    },

    async isUsed(clientId) {
      const account: unknown = await knex('service_accounts').where({ client_id: clientId }).first('client_id');
      return account !== undefined || (await knex('retired_ids').where({ id: clientId }).first('id')) !== undefined;
    },

    async lockRoots() {
      const rows = await knex<ServiceAccountRow>('service_accounts')
        .whereIn('client_id', knex('grants').where({ kind: 'role', name: 'root' }).select('client_id'))
        .orderBy(['created_at', 'client_id'])
        .forUpdate()
        .select('client_id');
      return rows.map((row) => row.client_id);
    },
  };
}

function accountFromRow(row: ServiceAccountRow): ServiceAccount {
  return {
    clientId: row.client_id,
    slug: row.slug,
    name: row.name,
    audience: row.audience,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
  };
}

function snapshotFromRow(row: SnapshotRow): AccountSnapshot {
  const grants = row.grants.map(grantFromJson);
  return {
    account: accountFromRow(row),
    credentials: row.credentials.map(credentialFromJson),
    grants,
    holdings: holdingsOf(grants),
  };
}
