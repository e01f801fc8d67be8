/**
 * SQL that inserts the rows of a JSON array, its one parameter. One statement inserts many rows, and can fill several
 * tables. A column that is not named gets its default, so that a node keeps working when a later release has added a
 * column.
 */
export function insertFromJson(table: string, columns: readonly string[]): string {
  const names = columns.join(', ');
  return `insert into ${table} (${names}) select ${names} from jsonb_populate_recordset(null::${table}, ?::jsonb)`;
}

/** Bytes in the text form that `bytea` reads. */
export function byteaText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}
