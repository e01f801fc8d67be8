import type { Knex } from 'knex';
import type { Used } from '../domain/companies/company-limits.ts';
import type { CredentialState } from '../domain/credentials/credential-base.ts';
import type { CredentialType } from '../domain/credentials/credential.ts';
import type { WayIn } from '../domain/credentials/ways-in.ts';
import { type ClientId, type CompanyId, isClientId } from '../domain/ids.ts';
import type { Grant } from '../domain/permissions/grant.ts';
import { type ManagementPermission, ROOT_MEANS } from '../domain/permissions/management-permissions.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { ServiceAccountStore } from '../domain/service-accounts/service-account-store.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import {
  GROUP_IDS,
  LAST_USED_AT,
  RIGHTS_AS_JSON,
  rowOf,
  type ServiceAccountRow,
  snapshotFromRow,
  type SnapshotRow,
  summaryFromRow,
  type SummaryRow,
} from './account-rows.ts';
import { filteredAccounts } from './filtered-accounts.ts';
import { CREDENTIAL_COUNTS, credentialRows, CREDENTIALS_AS_JSON } from './credential-rows.ts';
import { GRANT_LINES, grantRows } from './grants-table.ts';
import { mostEffective } from './most-effective.ts';
import { ofAccount } from './of-account.ts';
import { allRows, ownRows } from './owned-rows.ts';
import { lightEnough, newestFirst, pageOf } from './paging.ts';
import type { Tables } from './transaction.ts';

const NEWEST = { time: 'service_accounts.created_at', id: 'service_accounts.client_id' };

const WEIGHT = `select count(*) from grants where ${ofAccount('grants')}`;

type Snapshots = Knex.QueryBuilder<object, SnapshotRow[]>;

export function serviceAccountsTable(knex: Tables, builtIn: BuiltInIdentifiers): ServiceAccountStore {
  const fromRow = (row: SnapshotRow): AccountSnapshot => snapshotFromRow(row, builtIn);
  const snapshots = (rows: Knex.QueryBuilder): Snapshots =>
    rows.select<SnapshotRow[]>(
      'service_accounts.*',
      knex.raw(`(select state from companies where company_id = service_accounts.company_id) as company_state`),
      knex.raw(`(${LAST_USED_AT}) as last_used_at`),
      knex.raw(`(${CREDENTIALS_AS_JSON}) as credentials`),
      knex.raw(`(${RIGHTS_AS_JSON}) as rights`),
    );

  async function find(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined> {
    // A slug has the form of an id: a text of another form names no account.
    if (!isClientId(idOrSlug)) return undefined;
    const [row] = await called(snapshots(ownRows(knex, 'service_accounts', company)), idOrSlug);
    return row && fromRow(row);
  }

  /**
   * The identifiers of the resource servers that the rows of a list name. Most rows name only built-in resource
   * servers: their identifiers are settings, and take no statement.
   */
  async function identifiersOf(rows: readonly SummaryRow[]): Promise<(id: string) => string> {
    const named = rows.flatMap(({ audience, grant_lines: lines }) => [
      ...(audience === null ? [] : [audience]),
      ...(lines?.split('\n') ?? []).flatMap((line) => line.split(' ')[2] ?? []),
    ]);
    const others = [...new Set(named)].filter((id) => id !== 'management' && id !== 'default');
    const read: { resource_server_id: string; identifier: string }[] =
      others.length === 0
        ? []
        : await allRows(knex, 'resource_servers')
            .whereIn('resource_server_id', others)
            .select('resource_server_id', 'identifier');
    const identifiers = new Map([
      ...Object.entries(builtIn),
      ...read.map((row): [string, string] => [row.resource_server_id, row.identifier]),
    ]);
    return (id) => identifiers.get(id) ?? id;
  }

  /** The root accounts that can put everything right, locked, oldest first. */
  const roots = (): Knex.QueryBuilder =>
    ownRows(knex, 'service_accounts', undefined)
      .whereRaw(`(${holds('role', 'root')} or ${ROOT_MEANS.map((name) => holds('permission', name)).join(' and ')})`)
      .orderBy(['created_at', 'client_id'])
      .forUpdate();

  return {
    async insert(account, { credentials, grants }, counting) {
      const { rows } = await knex.raw<{ rows: { used: Used | null }[] }>(
        'select register_account(?::jsonb, ?::jsonb, ?::jsonb, ?::jsonb, ?) as used',
        [
          JSON.stringify(rowOf(account)),
          credentialRows(account, credentials),
          grantRows(account, grants),
          counting === undefined ? null : JSON.stringify(counting.limits),
          counting?.now ?? null,
        ],
      );
      const used = rows[0]?.used ?? undefined;
      // The function fills the columns that every release has.
      if (used !== undefined && account.senderConstraint !== 'none') {
        await ownRows(knex, 'service_accounts', account.company)
          .where({ client_id: account.clientId })
          .update({ sender_constraint: account.senderConstraint });
      }
      return used;
    },

    async findSnapshot(clientId) {
      const [row] = await snapshots(allRows(knex, 'service_accounts')).where('service_accounts.client_id', clientId);
      return row && fromRow(row);
    },

    async findCaller(clientId, jti) {
      const [row] = await snapshots(allRows(knex, 'service_accounts'))
        .where('service_accounts.client_id', clientId)
        .select<(SnapshotRow & { token_revoked: boolean })[]>(
          knex.raw('exists (select from revoked_tokens where jti = ?) as token_revoked', [jti]),
        );
      return row && { ...fromRow(row), tokenRevoked: row.token_revoked };
    },

    find,

    async identify(company, idsOrSlugs) {
      if (idsOrSlugs.length === 0) return [];
      const rows = await ownRows(knex, 'service_accounts', company)
        .where((query) => query.whereIn('client_id', [...idsOrSlugs]).orWhereIn('slug', [...idsOrSlugs]))
        .orderBy('client_id')
        .forKeyShare()
        .select<Pick<ServiceAccountRow, 'client_id' | 'slug'>[]>('client_id', 'slug');
      return rows.map(({ client_id: clientId, slug }) => ({ clientId, slug }));
    },

    async known(company, clientIds) {
      if (clientIds.length === 0) return [];
      const rows = await ownRows(knex, 'service_accounts', company ?? '*')
        .whereIn('client_id', [...clientIds])
        .orderBy('client_id')
        .forKeyShare()
        .select<Pick<ServiceAccountRow, 'client_id'>[]>('client_id');
      return rows.map((row) => row.client_id);
    },

    async named(company, clientIds) {
      if (clientIds.length === 0) return [];
      const rows = await ownRows(knex, 'service_accounts', company)
        .whereRaw('client_id = any(?)', [[...clientIds]])
        .select<Pick<ServiceAccountRow, 'client_id' | 'slug' | 'name'>[]>('client_id', 'slug', 'name');
      return rows.map(({ client_id: clientId, slug, name }) => ({ clientId, slug, name }));
    },

    async lock(company, idOrSlug) {
      if (!isClientId(idOrSlug)) return undefined;
      // Lock first, then read: a single statement would read credentials and grants as they were before it got the
      // lock. The account keeps its id, so that a transaction which only refers to the account need not wait.
      const [row] = await called(ownRows(knex, 'service_accounts', company), idOrSlug)
        .forNoKeyUpdate()
        .select<Pick<ServiceAccountRow, 'client_id'>[]>('client_id');
      return row && find(company, row.client_id);
    },

    mostEffective: (of) => mostEffective(knex, of),

    async list(company, filter, page, now) {
      const query = filteredAccounts(ownRows(knex, 'service_accounts', company), filter);
      newestFirst(query, NEWEST, page);
      const light = lightEnough(knex, 'service_accounts', query, NEWEST, WEIGHT)
        .joinRaw(`cross join lateral (${CREDENTIAL_COUNTS}) as counted`, [now])
        .select<SummaryRow[]>(
          'service_accounts.*',
          'counted.*',
          knex.raw(`(${LAST_USED_AT}) as last_used_at`),
          knex.raw(`(${GRANT_LINES}) as grant_lines`),
          knex.raw(`(${GROUP_IDS}) as group_ids`),
        );
      const rows = await light;
      const identifierOf = await identifiersOf(rows);
      return pageOf(
        rows,
        page,
        (row) => summaryFromRow(row, identifierOf),
        ({ account }) => ({
          time: account.createdAt,
          id: account.clientId,
        }),
      );
    },

    async update(account) {
      await ownRows(knex, 'service_accounts', account.company)
        .where({ client_id: account.clientId })
        .update(rowOf(account));
    },

    async touch(company, clientIds, at) {
      if (clientIds.length === 0) return;
      // The fixed order prevents deadlocks between transactions that touch several accounts.
      const rows = ownRows(knex, 'service_accounts', company)
        .whereIn('client_id', [...clientIds])
        .orderBy('client_id')
        .forNoKeyUpdate()
        .select('client_id');
      await ownRows(knex, 'service_accounts', company)
        .whereIn('client_id', rows)
        .update({ updated_at: at, revision: knex.raw('revision + 1') });
    },

    async delete({ clientId, company }, at) {
      await ownRows(knex, 'service_accounts', company).where({ client_id: clientId }).delete('client_id');
      await knex('retired_ids').insert({ id: clientId, retired_at: at }).onConflict().ignore();
    },

    async ownersOf(clientIds) {
      const { rows } = await knex.raw<{ rows: { client_id: string; company_id: CompanyId }[] }>(
        `select client_id, company_id from service_accounts where client_id = any(?) and company_id is not null
         union all
         select target, company_id from audit_events
         where action = 'service_account.created' and target = any(?) and company_id is not null`,
        [[...clientIds], [...clientIds]],
      );
      return new Map(rows.map((row) => [row.client_id, row.company_id]));
    },

    async isUsed(clientId) {
      const account: unknown = await allRows(knex, 'service_accounts')
        .where({ client_id: clientId })
        .first('client_id');
      return account !== undefined || (await knex('retired_ids').where({ id: clientId }).first('id')) !== undefined;
    },

    async lockRoots() {
      const rows = await roots().select<Pick<ServiceAccountRow, 'client_id'>[]>('client_id');
      return rows.map((row) => row.client_id);
    },

    async credentialsOfRoots() {
      const enabled = await roots().where({ state: 'enabled' }).select<{ client_id: ClientId }[]>('client_id');
      const rows = await ownRows(knex, 'credentials', undefined)
        .whereIn(
          'client_id',
          enabled.map((root) => root.client_id),
        )
        .select<WayInRow[]>('client_id', 'type', 'state', 'expires_at', 'expires_by_policy', 'permissions');
      return [...Map.groupBy(rows, (row) => row.client_id).values()].map((ofRoot) => ofRoot.map(wayInFromRow));
    },
  };
}

interface WayInRow {
  client_id: ClientId;
  type: CredentialType;
  state: CredentialState;
  expires_at: Date | null;
  expires_by_policy: boolean;
  permissions: string[] | null;
}

function wayInFromRow({
  type,
  state,
  expires_at: expiresAt,
  expires_by_policy: expiresByPolicy,
  permissions,
}: WayInRow): WayIn {
  return { type, state, expiresAt: expiresAt ?? undefined, expiresByPolicy, permissions: permissions ?? undefined };
}

/** SQL for whether the account in scope has been granted a role or a permission of the management API. */
function holds(kind: Grant['kind'], name: 'root' | ManagementPermission): string {
  return `exists (select from grants where ${ofAccount('grants')}
    and kind = '${kind}' and grants.name = '${name}' and place = ''
    and ${kind === 'role' ? `role_key = '${name}'` : `resource_server = 'management'`})`;
}

/** Narrows a query to the account that has this id, or else this slug. */
function called<Query extends Knex.QueryBuilder>(query: Query, idOrSlug: string): Query {
  void query
    .whereRaw('(service_accounts.client_id = ? or service_accounts.slug = ?)', [idOrSlug, idOrSlug])
    .orderByRaw('service_accounts.client_id = ? desc', [idOrSlug])
    .limit(1);
  return query;
}
