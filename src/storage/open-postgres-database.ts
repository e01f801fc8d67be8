import knex, { type Knex } from 'knex';
import pg from 'pg';
import { createChangeFeed } from './change-feed.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { isUnavailable } from './unavailable.ts';
import { within } from './within.ts';

const OLDEST_SERVER = 15;
const CLOSING = 3000;

/**
 * Opens a PostgreSQL server, waiting for one that is not up yet.
 *
 * @param patience how long to keep trying, in milliseconds
 * @param onWait told why it has to wait, before every new attempt
 * @param log where the query builder says what it has to say
 * @throws Error when the server cannot be reached in that time, refuses us, or is older than version 15
 */
export async function openPostgresDatabase(
  { url, adminUrl }: { url: string; adminUrl: string },
  { patience, onWait, log }: { patience: number; onWait: (reason: string) => void; log: Knex.Logger },
): Promise<Database> {
  await waitFor(url, patience, onWait);
  const pool = knex({
    client: 'pg',
    connection: { ...connection(url), query_timeout: 5000 },
    pool: { min: 0, max: 10 },
    acquireConnectionTimeout: 5000,
    compileSqlOnError: false,
    log,
  });
  return {
    knex: pool,
    async migrate() {
      const admin = knex({
        client: 'pg',
        connection: connection(adminUrl),
        pool: { min: 0, max: 1 },
        compileSqlOnError: false,
        log,
      });
      try {
        await migrate(admin);
      } finally {
        await admin.destroy();
      }
    },
    listen: (listener, onTrouble) => createChangeFeed(adminUrl, listener, onTrouble),
    // A connection that nobody answers on never ends by itself.
    close: () => within(pool.destroy(), CLOSING).catch(() => {}),
  };
}

function connection(url: string): pg.ClientConfig & Knex.PgConnectionConfig {
  return { connectionString: url, application_name: 'writ', connectionTimeoutMillis: 3000, keepAlive: true };
}

async function waitFor(url: string, patience: number, onWait: (reason: string) => void): Promise<void> {
  const started = performance.now();
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await checkVersion(url);
    } catch (error) {
      if (!isUnavailable(error) || performance.now() - started + pause > patience) throw error;
      onWait(error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function checkVersion(url: string): Promise<void> {
  const client = new pg.Client(connection(url));
  // What goes wrong is told by the calls below; without a listener it would end the process too.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
    const version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
    if (version < OLDEST_SERVER) {
      throw new Error(`PostgreSQL ${version} is too old: Writ needs ${OLDEST_SERVER} or later`);
    }
  } finally {
    await client.end();
  }
}
