import type { Knex } from 'knex';
import type { CompanyStore } from '../domain/companies/company-store.ts';
import type { Company } from '../domain/companies/company.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import type { State } from '../domain/state.ts';
import { newestFirst, pageOf, startingWith } from './paging.ts';
import type { Tables } from './transaction.ts';

interface CompanyRow {
  company_id: CompanyId;
  name: string;
  state: State;
  secret_max_age: number | null;
  key_max_age: number | null;
  created_at: Date;
  created_by: ClientId;
  updated_at: Date;
  revision: number;
}

type Companies = Knex.QueryBuilder<object, CompanyRow[]>;

export function companiesTable(knex: Tables): CompanyStore {
  const companies = (): Companies => knex('companies').select<CompanyRow[]>();
  const one = async (query: Companies): Promise<Company | undefined> => {
    const [row] = await query;
    return row && companyFromRow(row);
  };

  return {
    async insert(company) {
      const inserted: unknown[] = await knex('companies')
        .insert(rowOf(company))
        .onConflict()
        .ignore()
        .returning('company_id');
      return inserted.length > 0;
    },

    find: (companyId) => one(companies().where({ company_id: companyId })),
    keep: (companyId) => one(companies().where({ company_id: companyId }).forKeyShare()),
    lock: (companyId) => one(companies().where({ company_id: companyId }).forUpdate()),

    async list({ companyId, state, search }, page) {
      const query = companies();
      if (companyId !== undefined) void query.where({ company_id: companyId });
      if (state !== undefined) void query.where({ state });
      if (search !== undefined) void startingWith(query, search, 'company_id', 'lower(name)');
      newestFirst(query, { time: 'created_at', id: 'company_id' }, page);
      return pageOf(await query, page, companyFromRow, ({ createdAt, companyId: id }) => ({ time: createdAt, id }));
    },

    async update(company) {
      await knex('companies').where({ company_id: company.companyId }).update(rowOf(company));
    },

    async hasAccounts(companyId) {
      return (await knex('service_accounts').where({ company_id: companyId }).first('client_id')) !== undefined;
    },

    async delete(companyId, at) {
      // Before anything else, as whoever changes one of them does.
      const accounts = await knex('service_accounts')
        .where({ company_id: companyId })
        .orderBy('client_id')
        .forUpdate()
        .select<{ client_id: ClientId; name: string; slug: string }[]>('client_id', 'name', 'slug');
      await knex.raw(
        `insert into retired_ids (id, retired_at)
         select client_id, ?::timestamptz from service_accounts where company_id = ? union all select ?, ?::timestamptz
         on conflict do nothing`,
        [at, companyId, companyId, at],
      );
      await knex('companies').where({ company_id: companyId }).delete('company_id');
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
    created_at: company.createdAt,
    created_by: company.createdBy,
    updated_at: company.updatedAt,
    revision: company.revision,
  };
}

function companyFromRow(row: CompanyRow): Company {
  return {
    companyId: row.company_id,
    name: row.name,
    state: row.state,
    policy: { secretMaxAge: row.secret_max_age ?? undefined, keyMaxAge: row.key_max_age ?? undefined },
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}
