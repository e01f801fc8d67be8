import type { Knex } from 'knex';

/**
 * Cuts times to milliseconds. A list goes on after the time of its last item, and a cursor has that time in
 * milliseconds. Rows from migrations have times in microseconds: after a page that ends at such a row, the list skips
 * the other rows of the same migration.
 */
export async function up(knex: Knex): Promise<void> {
  for (const table of ['roles', 'resource_servers']) {
    await knex(table).update({
      created_at: knex.raw(`date_trunc('milliseconds', created_at)`),
      updated_at: knex.raw(`date_trunc('milliseconds', updated_at)`),
    });
  }
}

/** The microseconds had no meaning: they are not restored. */
export function down(): Promise<void> {
  return Promise.resolve();
}
