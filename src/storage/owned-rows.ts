import type { Knex } from 'knex';
import type { CompanyId } from '../domain/ids.ts';
import type { ReachedTable, Tables } from './transaction.ts';

/** Tables whose rows belong to a company or, without one, to root. A query reaches them only by what this file exports. */
export type OwnedTable =
  | 'audit_events'
  | 'companies'
  | 'credentials'
  | 'grantable'
  | 'grants'
  | 'group_members'
  | 'groups'
  | 'refusals'
  | 'resource_servers'
  | 'roles'
  | 'service_accounts';

/** The rows of one company, root's own (undefined), or, where root looks everywhere (`*`), all of them. */
export function ownRows(knex: Tables, table: OwnedTable, company: CompanyId | '*' | undefined): Knex.QueryBuilder {
  const rows = allRows(knex, table);
  if (company === '*') return rows;
  return company === undefined ? rows.whereNull(`${table}.company_id`) : rows.where(`${table}.company_id`, company);
}

/** The rows that a company sees, its own and root's; root sees its own. */
export function seenRows(knex: Tables, table: OwnedTable, company: CompanyId | undefined): Knex.QueryBuilder {
  if (company === undefined) return ownRows(knex, table, undefined);
  return allRows(knex, table).where((rows) =>
    rows.whereNull(`${table}.company_id`).orWhere(`${table}.company_id`, company),
  );
}

/**
 * The rows of root and of every company: for work on all of them, for inserts (a new row says whose it is), and for a row
 * named by a key that nobody can choose, once its owner has been checked.
 */
export function allRows(knex: Tables, table: OwnedTable): Knex.QueryBuilder {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where such a table is reached
  return knex(table as string as ReachedTable);
}
