/**
 * SQL that reads rows of a table out of a JSON array, its one parameter, by the names of the columns: so many rows are
 * one statement, and several tables' can be.
 */
export function rowsFromJson(table: string): string {
  return `select * from jsonb_populate_recordset(null::${table}, ?::jsonb)`;
}

/** Bytes as `bytea` reads them from text. */
export function byteaText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes).toString('hex')}`;
}
