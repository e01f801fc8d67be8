import type { Knex } from 'knex';

/**
 * When a signing key begins to sign, and since when nothing asks for its algorithm. A row without the first is of a
 * release that made every key at once and signed with it at once.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('signing_keys', (table) => {
    table.timestamp('signs_from', { useTz: true });
    table.timestamp('retired_at', { useTz: true });
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('signing_keys', (table) => {
    table.dropColumns('signs_from', 'retired_at');
  });
}
