import type { Knex } from 'knex';
import type { Page, PageRequest, Position } from '../domain/page.ts';
import { allRows, type OwnedTable } from './owned-rows.ts';
import type { Tables } from './transaction.ts';

/**
 * Narrows a query to one page of a list, newest first, by key and not by offset: what is inserted or deleted meanwhile
 * shifts nothing.
 *
 * @param columns what the list is ordered by: a time, and an id that tells two of the same time apart
 */
export function newestFirst(
  query: Knex.QueryBuilder,
  columns: { readonly time: string; readonly id: string },
  { limit, after }: PageRequest,
): void {
  if (after !== undefined) void query.whereRaw('(??, ??) < (?, ?)', [columns.time, columns.id, after.time, after.id]);
  // One more, to know whether there is more.
  void query
    .orderBy([
      { column: columns.time, order: 'desc' },
      { column: columns.id, order: 'desc' },
    ])
    .limit(limit + 1);
}

/** The most that the rows of one page weigh together: a row may have a thousand of something, a page a thousand rows. */
const MOST_WEIGHT = 20_000;

/**
 * Ends a page where its rows have too much between them; it goes on with the next one. The weight is added up before
 * anything of it is read.
 *
 * @param table that the rows are of
 * @param query what {@link newestFirst} has narrowed by these columns
 * @param weight SQL for how much there is to be read for the row in scope
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

/** Makes a page of rows. {@link newestFirst} has narrowed their query, and {@link lightEnough} may have. */
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

/** Only what begins with a prefix in one of some expressions, whose values are in lower case; the database folds the prefix. */
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
