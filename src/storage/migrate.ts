import { fileURLToPath } from 'node:url';
import type { Knex } from 'knex';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import { makeFunctions } from './make-functions.ts';

const MIGRATIONS: Knex.MigratorConfig = {
  directory: fileURLToPath(new URL('../../migrations', import.meta.url)),
  extension: 'ts',
  loadExtensions: ['.ts'],
  // From this release on, a node may start anew on a database that a later release has migrated.
  disableMigrationsListValidation: true,
};

/**
 * Brings the schema and the functions up to date in one transaction, one node at a time. A lock row, knex's own way, would stay behind
 * when a node is killed.
 */
export async function migrate(knex: Knex): Promise<void> {
  await knex.transaction(async (transaction) => {
    await transaction.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
    await transaction.migrate.latest(MIGRATIONS);
    await makeFunctions(transaction);
  });
}
