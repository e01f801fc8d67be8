import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Knex } from 'knex';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import { makeFunctions } from './make-functions.ts';
import { UnsuitableDatabaseError } from './server-check.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

const MIGRATIONS: Knex.MigratorConfig = {
  directory: FOLDER,
  extension: 'ts',
  loadExtensions: ['.ts'],
  // A node may restart on a database that a later release has migrated; {@link refuseBroken} refuses the exceptions.
  disableMigrationsListValidation: true,
};

/** The ending of the file name of a migration after which no earlier release may use the database. */
const BREAKING = '.breaking.ts';

/**
 * Brings the schema and the functions up to date in one transaction, one node at a time. The advisory lock ends with
 * the transaction: knex's own lock row would stay when a node is killed.
 *
 * @throws UnsuitableDatabaseError when a migration of a later release forbids this release to use the database
 */
export async function migrate(knex: Knex): Promise<void> {
  await knex.transaction(async (transaction) => {
    await transaction.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
    await transaction.migrate.latest(MIGRATIONS);
    await refuseBroken(transaction);
    await makeFunctions(transaction);
  });
}

async function refuseBroken(transaction: Knex.Transaction): Promise<void> {
  const broken: string[] = await transaction('knex_migrations')
    .whereLike('name', `%${BREAKING}`)
    .whereNotIn('name', readdirSync(FOLDER))
    .pluck('name');
  if (broken.length === 0) return;
  throw new UnsuitableDatabaseError(
    `A later release has changed the database so that this release cannot use it (${broken.join(', ')}): start the later release, or restore a copy of the database from before the change`,
  );
}
