import type { Knex } from 'knex';

/** An index for lists of the accounts of root and of every company. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('service_accounts', (table) => {
    table.index(['created_at', 'client_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('service_accounts', (table) => {
    table.dropIndex(['created_at', 'client_id']);
  });
}
