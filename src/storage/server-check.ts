import type pg from 'pg';

const OLDEST_SERVER = 15;

/** The database cannot be used as it is. `message` tells the operator what to change. */
export class UnsuitableDatabaseError extends Error {
  override readonly name = 'UnsuitableDatabaseError';
}

/**
 * Refuses a database that would serve some requests and fail others.
 *
 * @throws UnsuitableDatabaseError
 */
export async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string; schema: string | null }>(
    `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding,
       current_schema() as schema`,
  );
  const [{ version, encoding, schema } = { version: '0', encoding: '', schema: null }] = rows;
  const release = Math.floor(Number(version) / 10_000);
  if (release < OLDEST_SERVER) {
    throw new UnsuitableDatabaseError(`PostgreSQL ${release} is too old: Writ needs ${OLDEST_SERVER} or later`);
  }
  if (encoding !== 'UTF8') {
    throw new UnsuitableDatabaseError(
      `The database has the encoding ${encoding}, which cannot hold every name: make it with encoding UTF8, for example: create database writ encoding 'UTF8' template template0`,
    );
  }
  if (schema === null) {
    throw new UnsuitableDatabaseError(
      'The search path of the database role names no schema that exists: set it, for example: alter role … set search_path = public',
    );
  }
}
