import type { Knex } from 'knex';
import type { Grantable } from '../domain/permissions/grantable.ts';
import type { Limits, Used } from '../domain/companies/company-limits.ts';
import type { CompanyContents, CompanyStore, KeptCompany } from '../domain/companies/company-store.ts';
import type { Company } from '../domain/companies/company.ts';
import type { ClientId, CompanyId, Permission } from '../domain/ids.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { State } from '../domain/state.ts';
import { type AudienceJson, identifierIn } from './audience-rows.ts';
import { insertFromJson } from './insert-from-json.ts';
import { allRows, ownRows } from './owned-rows.ts';
import { lightEnough, newestFirst, pageOf, startingWith } from './paging.ts';
import type { Tables } from './transaction.ts';

interface CompanyRow {
  company_id: CompanyId;
  name: string;
  state: State;
  secret_max_age: number | null;
  key_max_age: number | null;
  limits: Partial<Limits>;
  created_at: Date;
  created_by: ClientId;
  updated_at: Date;
  revision: number;
}

/** A grantable permission in the JSON that {@link GRANTABLE_AS_JSON} writes. */
interface GrantableJson extends Pick<AudienceJson, 'resource_server_id' | 'identifier'> {
  permission: Permission | null;
  qualified: boolean;
}

type CompanyWithParts = CompanyRow & { grantable: GrantableJson[] };

/** SQL for the grantable permissions of the company in scope, as a JSON array. */
const GRANTABLE_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object('resource_server_id', resource_server, 'identifier', identifier,
    'permission', permission, 'qualified', qualified)), '[]')
  from grantable join resource_servers on resource_servers.resource_server_id = grantable.resource_server
  where grantable.company_id = companies.company_id`;

const NEWEST = { time: 'created_at', id: 'company_id' };

const WEIGHT = `select count(*) from grantable where grantable.company_id = companies.company_id`;

type Companies = Knex.QueryBuilder<object, CompanyWithParts[]>;

export function companiesTable(knex: Tables, builtIn: BuiltInIdentifiers): CompanyStore {
  const withParts = (query: Knex.QueryBuilder): Companies =>
    query.select<CompanyWithParts[]>('companies.*', knex.raw(`(${GRANTABLE_AS_JSON}) as grantable`));
  const fromRow = (row: CompanyWithParts): Company => ({
    ...companyFromRow(row),
    grantable: row.grantable.map((one) => grantableFromJson(one, builtIn)),
  });
  const one = async (query: Companies): Promise<Company | undefined> => {
    const [row] = await query;
    return row && fromRow(row);
  };
  const find: CompanyStore['find'] = (companyId) => one(withParts(ownRows(knex, 'companies', companyId)));

  return {
    async insert(company) {
      const inserted: unknown[] = await allRows(knex, 'companies')
        .insert(rowOf(company))
        .onConflict()
        .ignore()
        .returning('company_id');
      return inserted.length > 0;
    },

    find,

    async keep(companyId) {
      const [row] = await ownRows(knex, 'companies', companyId).forKeyShare().select<CompanyRow[]>();
      return row && companyFromRow(row);
    },

    async countAdded(companyId, added, limits, now) {
      const { rows } = await knex.raw<{ rows: { used: Used }[] }>(
        'select company_added(?, ?::jsonb, ?::jsonb, ?) as used',
        [companyId, JSON.stringify(added), JSON.stringify(limits), now],
      );
      return rows[0]?.used ?? {};
    },

    async lock(companyId) {
      // Lock first, then read: a single statement would read the grantable permissions as they were before it got the
      // lock.
      await ownRows(knex, 'companies', companyId).forUpdate().select('company_id');
      return find(companyId);
    },

    async changeGrantable(companyId, { added, removed }) {
      if (removed.length > 0) {
        const key = `resource_server, coalesce(permission, '')`;
        await ownRows(knex, 'grantable', companyId)
          .whereRaw(`(${key}) in (select ${key} from jsonb_populate_recordset(null::grantable, ?::jsonb))`, [
            grantableRows(companyId, removed),
          ])
          .delete('company_id');
      }
      if (added.length === 0) return;
      await knex.raw(insertFromJson('grantable', GRANTABLE_COLUMNS), [grantableRows(companyId, added)]);
    },

    async list({ companyId, state, search }, page) {
      const query = allRows(knex, 'companies');
      if (companyId !== undefined) void query.where({ company_id: companyId });
      if (state !== undefined) void query.where({ state });
      if (search !== undefined) void startingWith(query, search, 'company_id', 'lower(name)');
      newestFirst(query, NEWEST, page);
      const rows = await withParts(lightEnough(knex, 'companies', query, NEWEST, WEIGHT));
      return pageOf(rows, page, fromRow, ({ createdAt, companyId: id }) => ({ time: createdAt, id }));
    },

    async update(company) {
      await ownRows(knex, 'companies', company.companyId).update(rowOf(company));
    },

    async contents(companyId, since, limit) {
      const { rows: counted } = await knex.raw<{ rows: CompanyContents['counts'][] }>(
        `select (select count(*)::int from service_accounts where company_id = :id) as "serviceAccounts",
           (select count(*)::int from credentials where company_id = :id) as credentials,
           (select count(*)::int from groups where company_id = :id) as groups,
           (select count(*)::int from roles where company_id = :id) as roles,
           (select count(*)::int from resource_servers where company_id = :id) as "resourceServers"`,
        { id: companyId },
      );
      const { rows: used } = await knex.raw<{ rows: (CompanyContents['lastUsed'][number] & { found: number })[] }>(
        `select client_id as "clientId", slug, name, max(used_at) as "lastUsedAt", count(*) over ()::int as found
         from service_accounts join last_uses using (client_id)
         where company_id = ? and used_at >= ?
         group by client_id order by "lastUsedAt" desc, client_id limit ?`,
        [companyId, since, limit],
      );
      const [counts] = counted;
      if (counts === undefined) throw new Error('the database returned no counts');
      return { counts, used: used[0]?.found ?? 0, lastUsed: used };
    },

    async hasAccounts(companyId) {
      return (await ownRows(knex, 'service_accounts', companyId).first('client_id')) !== undefined;
    },

    async delete(companyId, at) {
      // The accounts are locked first, as in every transaction that changes an account: this prevents deadlocks.
      const accounts = await ownRows(knex, 'service_accounts', companyId)
        .orderBy('client_id')
        .forUpdate()
        .select<{ client_id: ClientId; name: string; slug: string }[]>('client_id', 'name', 'slug');
      await knex.raw(
        `insert into retired_ids (id, retired_at)
         select client_id, ?::timestamptz from service_accounts where company_id = ? union all select ?, ?::timestamptz
         on conflict do nothing`,
        [at, companyId, companyId, at],
      );
      await ownRows(knex, 'companies', companyId).delete('company_id');
      return accounts.map(({ client_id: clientId, name, slug }) => ({ clientId, name, slug }));
    },

    async isRetired(companyId) {
      return (await knex('retired_ids').where({ id: companyId }).first('id')) !== undefined;
    },
  };
}

function rowOf(company: Company): CompanyRow {
  return {
    company_id: company.companyId,
    name: company.name,
    state: company.state,
    secret_max_age: company.policy.secretMaxAge ?? null,
    key_max_age: company.policy.keyMaxAge ?? null,
    limits: company.limits,
    created_at: company.createdAt,
    created_by: company.createdBy,
    updated_at: company.updatedAt,
    revision: company.revision,
  };
}

const GRANTABLE_COLUMNS = ['company_id', 'resource_server', 'permission', 'qualified'];

/** The rows of the grantable permissions of a company, as a JSON array. */
function grantableRows(companyId: CompanyId, grantable: readonly Grantable[]): string {
  return JSON.stringify(
    grantable.map(({ resourceServerId, permission, qualified }) => ({
      company_id: companyId,
      resource_server: resourceServerId,
      permission: permission ?? null,
      qualified,
    })),
  );
}

function grantableFromJson(row: GrantableJson, builtIn: BuiltInIdentifiers): Grantable {
  return {
    resourceServerId: row.resource_server_id,
    identifier: identifierIn(row, builtIn),
    permission: row.permission ?? undefined,
    qualified: row.qualified,
  };
}

function companyFromRow(row: CompanyRow): KeptCompany {
  return {
    companyId: row.company_id,
    name: row.name,
    state: row.state,
    policy: { secretMaxAge: row.secret_max_age ?? undefined, keyMaxAge: row.key_max_age ?? undefined },
    limits: row.limits,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}
