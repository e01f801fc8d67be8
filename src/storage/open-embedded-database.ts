import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PGlite, types } from '@electric-sql/pglite';
import knex, { type Knex } from 'knex';
import ClientPGLite from 'knex-pglite';
import type { Database } from './database.ts';
import { setMode } from './file-mode.ts';
import { lockDataFolder, type FolderOwner } from './data-folder-lock.ts';
import { migrate } from './migrate.ts';
import { UnsuitableDatabaseError } from './server-check.ts';

/**
 * Opens PostgreSQL inside this process.
 *
 * @param directory the data folder, created with mode 0700 if it is missing; undefined: everything stays in memory
 * @param log the log of the query builder
 * @throws DataFolderInUseError when another process has the folder open
 */
export async function openEmbeddedDatabase(
  directory: string | undefined,
  owner: FolderOwner,
  log: Knex.Logger,
): Promise<Database> {
  const folder = directory === undefined ? undefined : resolve(directory);
  const unlock = folder === undefined ? () => {} : openFolder(folder, owner);
  try {
    const pglite = await PGlite.create({
      dataDir: folder === undefined ? 'memory://' : clusterIn(folder),
      // Values are read as the pg driver reads them, so that one table file serves both databases.
      parsers: {
        [types.INT8]: (value: string) => value,
        [types.BYTEA]: (value: string) => Buffer.from(value.slice(2), 'hex'),
      },
    });
    const database = knex({
      client: ClientPGLite,
      connection: { pglite } as object,
      // There is only one connection: work in a transaction that asks for a second one would wait for ever.
      acquireConnectionTimeout: 5000,
      // Errors contain no values of statements, so that no value reaches the log.
      compileSqlOnError: false,
      log,
    });
    return {
      knex: database,
      tokensKnex: database,
      migrate: () => migrate(database),
      // There is no other node, and so no announcement to hear.
      listen: () =>
        Promise.resolve({
          lastAnswer: () => performance.now(),
          clockOffset: () => 0,
          close: () => Promise.resolve(),
        }),
      async close() {
        await database.destroy();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * Makes sure that there is an embedded database, for a command that must not make one.
 *
 * @throws UnsuitableDatabaseError
 */
export function assertEmbeddedDatabase(directory: string | undefined): void {
  if (directory !== undefined && existsSync(clusterIn(resolve(directory)))) return;
  const place = directory === undefined ? 'in memory' : `at ${resolve(directory)}`;
  throw new UnsuitableDatabaseError(
    `There is no database ${place}: run the command with the settings of the server, above all DATABASE_URL and WRIT_KEYS_DIR`,
  );
}

function clusterIn(folder: string): string {
  return join(folder, 'pglite');
}

function openFolder(folder: string, owner: FolderOwner): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unlock = lockDataFolder(folder, owner);
  const cluster = clusterIn(folder);
  mkdirSync(cluster, { recursive: true, mode: 0o700 });
  setMode(cluster, 0o700);
  return unlock;
}
