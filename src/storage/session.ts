import type pg from 'pg';

/**
 * The settings on which this product relies and which a role or a database may have changed: how times and bytes are
 * written, how quotes are escaped, and what two transactions see of each other.
 */
const SESSION = `
  set datestyle = 'ISO, MDY';
  set intervalstyle = 'postgres';
  set timezone = 'UTC';
  set bytea_output = 'hex';
  set standard_conforming_strings = on;
  set default_transaction_isolation = 'read committed'`;

/** Gives a new connection the same settings on every server. */
export async function prepareSession(connection: pg.Client): Promise<void> {
  await connection.query(SESSION);
}
