import type { Knex } from 'knex';
import type { Page, PageRequest, Position } from '../domain/page.ts';
import { allRows, type OwnedTable } from './owned-rows.ts';
import type { Tables } from './transaction.ts';

/**
 * Narrows a query to one page of a list, newest first. The page begins after a key, not at an offset: a row that is
 * inserted or deleted meanwhile shifts no other row.
 *
 * @param columns the columns that order the list: a time, and an id for rows of the same time
 */
export function newestFirst(
  query: Knex.QueryBuilder,
  columns: { readonly time: string; readonly id: string },
  { limit, after }: PageRequest,
): void {
  if (after !== undefined) void query.whereRaw('(??, ??) < (?, ?)', [columns.time, columns.id, after.time, after.id]);
  // One more row is read: it shows whether there is a next page.
  void query
    .orderBy([
      { column: columns.time, order: 'desc' },
      { column: columns.id, order: 'desc' },
    ])
    .limit(limit + 1);
}

/** The most weight of one page: a row may have a thousand parts, and a page a thousand rows. */
const MOST_WEIGHT = 20_000;

/**
 * Ends a page early when its rows have too many parts together; the next page begins there. The weights of the rows are
 * added up before the parts are read.
 *
 * @param table the table of the rows
 * @param query a query that {@link newestFirst} has narrowed by the same columns
 * @param weight SQL for the number of parts of the row in scope
 * @returns the rows of the page, as rows of the table
 */
export function lightEnough(
  knex: Tables,
  table: OwnedTable,
  query: Knex.QueryBuilder,
  columns: { readonly time: string; readonly id: string },
  weight: string,
): Knex.QueryBuilder {
  const rows = query.select(`${table}.*`, knex.raw(`(${weight}) as weight`));
  const weighed = allRows(knex, table)
    .from(rows.as(table))
    .select(
      `${table}.*`,
      knex.raw('count(*) over ()::int as found'),
      knex.raw(
        'sum(weight) over (order by ?? desc, ?? desc rows between unbounded preceding and 1 preceding) as before',
        [columns.time, columns.id],
      ),
    );
  return allRows(knex, table)
    .from(weighed.as(table))
    .whereRaw('coalesce(before, 0) < ?', [MOST_WEIGHT])
    .orderBy([
      { column: columns.time, order: 'desc' },
      { column: columns.id, order: 'desc' },
    ]);
}

/** Makes a page from rows whose query {@link newestFirst}, and perhaps {@link lightEnough}, has narrowed. */
export function pageOf<Row extends object, Item>(
  rows: readonly Row[],
  { limit }: PageRequest,
  toItem: (row: Row) => Item,
  positionOf: (item: Item) => Position,
): Page<Item> {
  const items = rows.slice(0, limit).map(toItem);
  const last = items.at(-1);
  const [first] = rows;
  const found = first !== undefined && 'found' in first ? Number(first.found) : rows.length;
  return { items, next: found > items.length && last !== undefined ? positionOf(last) : undefined };
}

/**
 * Narrows a query to rows in which one of the expressions begins with a prefix. The values of the expressions are in
 * lower case, and the database brings the prefix into lower case, too.
 */
export function startingWith<Query extends Knex.QueryBuilder>(
  query: Query,
  prefix: string,
  ...expressions: readonly string[]
): Query {
  const pattern = `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const conditions = expressions.map((expression) => `${expression} like lower(?)`);
  void query.whereRaw(
    `(${conditions.join(' or ')})`,
    expressions.map(() => pattern),
  );
  return query;
}
