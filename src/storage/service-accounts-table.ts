import type { Knex } from 'knex';
import { type ClientId, type CompanyId, isClientId } from '../domain/ids.ts';
import type { Grant } from '../domain/permissions/grant.ts';
import { holdingsOf } from '../domain/permissions/holdings.ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import type { ResourceServerId } from '../domain/permissions/resource-server.ts';
import type { ServiceAccountFilter, ServiceAccountStore } from '../domain/service-accounts/service-account-store.ts';
import type {
  AccountSnapshot,
  AccountSummary,
  Metadata,
  ServiceAccount,
} from '../domain/service-accounts/service-account.ts';
import type { State } from '../domain/state.ts';
import {
  CREDENTIAL_COUNT,
  credentialRows,
  CREDENTIALS_AS_JSON,
  credentialFromJson,
  type CredentialJson,
} from './credentials-table.ts';
import { GRANT_NAMES, GRANTS_AS_JSON, grantFromJson, grantRows, type GrantJson } from './grants-table.ts';
import { ofAccount } from './of-account.ts';
import { rowsFromJson } from './rows-from-json.ts';
import { newestFirst, pageOf, prefixPattern } from './paging.ts';

interface ServiceAccountRow {
  client_id: ClientId;
  company_id: CompanyId | null;
  slug: string;
  name: string;
  description: string | null;
  state: State;
  audience: ResourceServerId | null;
  token_ttl: number | null;
  metadata: Metadata;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
  revision: number;
}

type SnapshotRow = ServiceAccountRow & {
  company_state: State | null;
  credentials: CredentialJson[];
  grants: GrantJson[];
};

/** A row of a list: a snapshot's JSON costs several times as much to make and to read. */
type SummaryRow = ServiceAccountRow & { credential_count: number; grant_names: string | null };

type Snapshots = Knex.QueryBuilder<object, SnapshotRow[]>;

const INSERT = `
  with account as (
    insert into service_accounts ${rowsFromJson('service_accounts')} as made
      where not exists (
        select from service_accounts where client_id = made.slug and company_id is not distinct from made.company_id
      )
      on conflict do nothing returning client_id
  ), its_credentials as (
    insert into credentials ${rowsFromJson('credentials')} where exists (select from account)
  ), its_grants as (
    insert into grants ${rowsFromJson('grants')} where exists (select from account)
  )
  select client_id from account`;

export function serviceAccountsTable(knex: Knex): ServiceAccountStore {
  const snapshots = (): Snapshots =>
    knex('service_accounts').select<SnapshotRow[]>(
      'service_accounts.*',
      knex.raw(`(select state from companies where company_id = service_accounts.company_id) as company_state`),
      knex.raw(`(${CREDENTIALS_AS_JSON}) as credentials`),
      knex.raw(`(${GRANTS_AS_JSON}) as grants`),
    );

  async function find(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined> {
    // A slug has the form of an id, too.
    if (!isClientId(idOrSlug)) return undefined;
    const [row] = await ownedBy(snapshots(), company)
      .whereRaw('(service_accounts.client_id = ? or service_accounts.slug = ?)', [idOrSlug, idOrSlug])
      .orderByRaw('service_accounts.client_id = ? desc', [idOrSlug])
      .limit(1);
    return row && snapshotFromRow(row);
  }

  return {
    async insert(account, { credentials, grants }) {
      const { rows } = await knex.raw<{ rows: unknown[] }>(INSERT, [
        JSON.stringify([rowOf(account)]),
        credentialRows(account, credentials),
        grantRows(account, grants),
      ]);
      return rows.length > 0;
    },

    async findSnapshot(clientId) {
      const [row] = await snapshots().where('service_accounts.client_id', clientId);
      return row && snapshotFromRow(row);
    },

    find,

    async lock({ clientId, company }) {
      // Two statements: what one reads beside the row it waits for is as old as its beginning.
      await ownedBy(knex('service_accounts'), company).where({ client_id: clientId }).forUpdate().select('client_id');
      return find(company, clientId);
    },

    async list(company, filter, page) {
      const query = filtered(ownedBy(knex('service_accounts'), company), filter).select<SummaryRow[]>(
        'service_accounts.*',
        knex.raw(`(${CREDENTIAL_COUNT}) as credential_count`),
        knex.raw(`(${GRANT_NAMES}) as grant_names`),
      );
      newestFirst(query, { time: 'service_accounts.created_at', id: 'service_accounts.client_id' }, page);
      return pageOf(await query, page, summaryFromRow, ({ account }) => ({
        time: account.createdAt,
        id: account.clientId,
      }));
    },

    async update(account) {
      await ownedBy(knex('service_accounts'), account.company)
        .where({ client_id: account.clientId })
        .update(rowOf(account));
    },

    async delete({ clientId, company }, at) {
      await ownedBy(knex('service_accounts'), company).where({ client_id: clientId }).delete('client_id');
      await knex('retired_ids').insert({ id: clientId, retired_at: at }).onConflict().ignore();
    },

    async isUsed(clientId) {
      const account: unknown = await knex('service_accounts').where({ client_id: clientId }).first('client_id');
      return account !== undefined || (await knex('retired_ids').where({ id: clientId }).first('id')) !== undefined;
    },

    async lockRoots({ working } = { working: false }) {
      const query = ownedBy(knex('service_accounts'), undefined)
        .whereRaw(
          `(${holds('role', 'root')} or ${ROOT_PERMISSIONS.map((name) => holds('permission', name)).join(' and ')})`,
        )
        .orderBy(['created_at', 'client_id'])
        .forUpdate()
        .select<Pick<ServiceAccountRow, 'client_id'>[]>('client_id');
      if (working) {
        void query
          .where({ state: 'enabled' })
          .whereRaw(`exists (select from credentials where ${ofAccount('credentials')})`);
      }
      return (await query).map((row) => row.client_id);
    },
  };
}

/** Who holds these two can give anybody everything else. */
const ROOT_PERMISSIONS = [
  'writ.permissions.grant',
  'writ.serviceaccounts.manage',
] as const satisfies ManagementPermission[];

/** SQL for whether the account in scope has been granted something of the management API. */
function holds(kind: Grant['kind'], name: 'root' | ManagementPermission): string {
  return `exists (select from grants where ${ofAccount('grants')}
    and kind = '${kind}' and grants.name = '${name}' and resource_server = 'management')`;
}

/** Only what belongs to a company, or to none. */
function ownedBy<Query extends Knex.QueryBuilder>(query: Query, company: CompanyId | undefined): Query {
  if (company === undefined) void query.whereNull('service_accounts.company_id');
  else void query.where('service_accounts.company_id', company);
  return query;
}

function filtered<Query extends Knex.QueryBuilder>(
  query: Query,
  { state, slug, permission, role, search }: ServiceAccountFilter,
): Query {
  if (state !== undefined) void query.where('service_accounts.state', state);
  if (slug !== undefined) void query.where('service_accounts.slug', slug);
  for (const [kind, name] of Object.entries({ permission, role })) {
    if (name !== undefined) {
      void query.whereRaw(`exists (select from grants where ${ofAccount('grants')} and kind = ? and grants.name = ?)`, [
        kind,
        name,
      ]);
    }
  }
  if (search !== undefined) {
    const pattern = prefixPattern(search);
    void query.whereRaw('(service_accounts.slug like lower(?) or lower(service_accounts.name) like lower(?))', [
      pattern,
      pattern,
    ]);
  }
  return query;
}

function rowOf(account: ServiceAccount): Record<keyof ServiceAccountRow, unknown> {
  return {
    client_id: account.clientId,
    company_id: account.company ?? null,
    slug: account.slug,
    name: account.name,
    description: account.description ?? null,
    state: account.state,
    audience: account.audience ?? null,
    token_ttl: account.tokenTtl ?? null,
    metadata: account.metadata,
    created_at: account.createdAt,
    created_by: account.createdBy ?? null,
    updated_at: account.updatedAt,
    revision: account.revision,
  };
}

function accountFromRow(row: ServiceAccountRow): ServiceAccount {
  return {
    clientId: row.client_id,
    company: row.company_id ?? undefined,
    slug: row.slug,
    name: row.name,
    description: row.description ?? undefined,
    state: row.state,
    audience: row.audience ?? undefined,
    tokenTtl: row.token_ttl ?? undefined,
    metadata: row.metadata,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}

function snapshotFromRow(row: SnapshotRow): AccountSnapshot {
  const grants = row.grants.map(grantFromJson);
  const account = accountFromRow(row);
  return {
    account,
    enabled: account.state === 'enabled' && row.company_state !== 'disabled',
    credentials: row.credentials.map(credentialFromJson),
    grants,
    holdings: holdingsOf(grants, account.company),
  };
}

function summaryFromRow(row: SummaryRow): AccountSummary {
  const names = (kind: Grant['kind']): string[] =>
    (row.grant_names ?? '')
      .split(' ')
      .flatMap((name) => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []));
  return {
    account: accountFromRow(row),
    roles: names('role'),
    permissions: names('permission'),
    credentialCount: row.credential_count,
  };
}
