import type { Knex } from 'knex';

/**
 * The time from which a signing key signs, and the time since which nothing asks for its algorithm. A row without the
 * first time comes from an earlier release: there, every key signed as soon as it was generated.
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
