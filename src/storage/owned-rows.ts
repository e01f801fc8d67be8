import type { Knex } from 'knex';
import type { CompanyId } from '../domain/ids.ts';
import type { ReachedTable, Tables } from './transaction.ts';

/** The tables whose rows belong to a company or to root. Queries reach them only through the functions of this file. */
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
  | 'service_accounts'
  | 'trusted_issuers';

/** The rows of one company, of root (undefined), or of root and every company (`*`: only for callers who are root). */
export function ownRows(knex: Tables, table: OwnedTable, company: CompanyId | '*' | undefined): Knex.QueryBuilder {
  const rows = allRows(knex, table);
  if (company === '*') return rows;
  return company === undefined ? rows.whereNull(`${table}.company_id`) : rows.where(`${table}.company_id`, company);
}

/** The rows that a company sees: its own and those of root. Root (undefined) sees only its own rows. */
export function seenRows(knex: Tables, table: OwnedTable, company: CompanyId | undefined): Knex.QueryBuilder {
  if (company === undefined) return ownRows(knex, table, undefined);
  return allRows(knex, table).where((rows) =>
    rows.whereNull(`${table}.company_id`).orWhere(`${table}.company_id`, company),
  );
}

/**
 * The rows of root and of every company. They are for work on all rows, for inserts (a new row names its owner), and
 * for a row whose key was generated and whose owner has been checked.
 */
export function allRows(knex: Tables, table: OwnedTable): Knex.QueryBuilder {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where such a table is reached
  return knex(table as string as ReachedTable);
}
