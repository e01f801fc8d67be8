import { callbackify } from 'node:util';
import knex, { type Knex } from 'knex';
import pg from 'pg';
import { withCertificateAdvice } from './certificate-trouble.ts';
import { CHANNEL, createChangeFeed, DeafFeedError } from './change-feed.ts';
import { type ConnectionHealth, createConnectionHealth } from './connection-health.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { checkServer, UnsuitableDatabaseError } from './server-check.ts';
import { grantToServerRole } from './server-role.ts';
import { prepareSession } from './session.ts';
import { isUnavailable } from './unavailable.ts';
import { unheeded, within } from './within.ts';

/** The addresses of a PostgreSQL server: for the serving role, for the migrating role, and for the change feed. */
export interface PostgresUrls {
  readonly url: string;
  readonly adminUrl: string;
  readonly listenUrl: string;
}

const CLOSING = 3000;
/** Milliseconds that a statement may take. */
const QUERY_TIMEOUT = 5000;
const CONNECTIONS = 10;
/** The number of connections for tokens only, so that no management request keeps tokens waiting. */
const TOKEN_CONNECTIONS = 6;

/**
 * Opens a database on a PostgreSQL server, and waits for a server that is not up yet.
 *
 * @param patience the most milliseconds to wait for the server
 * @param onWait told the reason before every new try
 * @param log the log of the query builder
 * @throws UnsuitableDatabaseError; Error when the server cannot be reached in that time, or refuses the connection
 */
export async function openPostgresDatabase(
  { url, adminUrl, listenUrl }: PostgresUrls,
  { patience, onWait, log }: { patience: number; onWait: (reason: string) => void; log: Knex.Logger },
): Promise<Database> {
  await waitFor(url, patience, onWait);
  const health = createConnectionHealth(() => performance.now());
  const pool = (max: number): Knex => openPool(url, max, health, log);
  const main = pool(CONNECTIONS);
  const tokens = pool(TOKEN_CONNECTIONS);
  return {
    knex: main,
    tokensKnex: tokens,
    async migrate() {
      const admin = knex({
        client: 'pg',
        connection: connection(adminUrl),
        pool: { min: 0, max: 1 },
        compileSqlOnError: false,
        log,
      });
      try {
        if (adminUrl !== url) await checkDatabase(adminUrl);
        await migrate(admin);
        if (adminUrl !== url) await grantToServerRole(admin, main);
      } finally {
        await admin.destroy();
      }
    },
    async listen(options) {
      const feed = createChangeFeed({
        ...options,
        url: listenUrl,
        announce: (payload) => tokens.raw('select pg_notify(?, ?)', [CHANNEL, payload]),
        onReached: health.giveUpSilent,
      });
      return feed.catch((error: unknown) => {
        if (!(error instanceof DeafFeedError)) throw error;
        throw new UnsuitableDatabaseError(
          'This node would not hear of changes: announcements through DATABASE_URL do not arrive on the connection on which it listens. A pooler that shares connections out by transaction (pgbouncer) swallows notifications: set WRIT_DATABASE_LISTEN_URL, or WRIT_DATABASE_ADMIN_URL, to the same database without the pooler.',
          { cause: error },
        );
      });
    },
    async close() {
      // A silent connection never ends by itself.
      await Promise.all([main, tokens].map((one) => within(one.destroy(), CLOSING).catch(unheeded)));
    },
  };
}

function openPool(url: string, max: number, health: ConnectionHealth, log: Knex.Logger): Knex {
  return knex({
    client: 'pg',
    connection: { ...connection(url), query_timeout: QUERY_TIMEOUT },
    pool: {
      min: 0,
      max,
      afterCreate: callbackify(async (made: pg.Client) => {
        await prepareSession(made);
        health.watch(made);
      }),
      validate: health.isUsable,
    },
    acquireConnectionTimeout: 5000,
    compileSqlOnError: false,
    log,
  });
}

function connection(url: string): pg.ClientConfig & Knex.PgConnectionConfig {
  return { connectionString: url, application_name: 'writ', connectionTimeoutMillis: 3000, keepAlive: true };
}

async function waitFor(url: string, patience: number, onWait: (reason: string) => void): Promise<void> {
  const started = performance.now();
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await checkDatabase(url);
    } catch (error) {
      if (!isUnavailable(error) || performance.now() - started + pause > patience) throw withCertificateAdvice(error);
      onWait(error instanceof Error ? error.message : String(error));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

async function checkDatabase(url: string): Promise<void> {
  const client = new pg.Client(connection(url));
  // The calls below report every error. Without a listener, the error would also end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await checkServer(client);
  } finally {
    await client.end();
  }
}
