import type { Knex } from 'knex';

/**
 * A list goes on after the time of its last item, which a cursor says in milliseconds. A row that a
 * migration made has the database's microseconds, so that a page that ended at such a row skipped the rest of its kind.
 */
export async function up(knex: Knex): Promise<void> {
  for (const table of ['roles', 'resource_servers']) {
    await knex(table).update({
      created_at: knex.raw(`date_trunc('milliseconds', created_at)`),
      updated_at: knex.raw(`date_trunc('milliseconds', updated_at)`),
    });
  }
}

/** The microseconds that are cut off meant nothing. */
export function down(): Promise<void> {
  return Promise.resolve();
}
