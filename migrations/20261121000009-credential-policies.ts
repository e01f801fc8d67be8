import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('companies', (table) => {
    table.integer('secret_max_age');
    table.integer('key_max_age');
  });
  await knex.schema.alterTable('credentials', (table) => {
    table.boolean('expires_by_policy').notNullable().defaultTo(false);
    table.boolean('extend').notNullable().defaultTo(false);
    table.text('rotated_from');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('credentials', (table) => {
    table.dropColumns('expires_by_policy', 'extend', 'rotated_from');
  });
  await knex.schema.alterTable('companies', (table) => {
    table.dropColumns('secret_max_age', 'key_max_age');
  });
}
