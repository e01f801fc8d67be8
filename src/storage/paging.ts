import type { Knex } from 'knex';
import type { Page, PageRequest, Position } from '../domain/page.ts';

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

/** Makes a page of the rows that a query answers which {@link newestFirst} has narrowed. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  { limit }: PageRequest,
  toItem: (row: Row) => Item,
  positionOf: (item: Item) => Position,
): Page<Item> {
  const items = rows.slice(0, limit).map(toItem);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? positionOf(last) : undefined };
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
