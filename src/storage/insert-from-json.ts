/**
 * SQL that inserts rows out of a JSON array, its one parameter, by the names of the columns: so many rows are one
 * statement, and several tables' can be. A column that is not named gets its default, so that a node goes on working
 * when a later release has added one.
 */
export function insertFromJson(table: string, columns: readonly string[]): string {
  const names = columns.join(', ');
  return `insert into ${table} (${names}) select ${names} from jsonb_populate_recordset(null::${table}, ?::jsonb)`;
}

/** Bytes as `bytea` reads them from text. */
export function byteaText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}
