import type pg from 'pg';

/**
 * Settings that a role or a database may have changed, and on which this product relies: how times and bytes
 * are written, what a quote escapes, and what two transactions see of each other.
 */
const SESSION = `
  set datestyle = 'ISO, MDY';
  set intervalstyle = 'postgres';
  set timezone = 'UTC';
  set bytea_output = 'hex';
  set standard_conforming_strings = on;
  set default_transaction_isolation = 'read committed'`;

/** Makes a new connection the same on every server. */
export async function prepareSession(connection: pg.Client): Promise<void> {
  await connection.query(SESSION);
}
