import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('credentials', (table) => {
    table.setNullable('hint');
    table.text('kid');
    table.jsonb('data').notNullable().defaultTo('{}');
    table.unique(['client_id', 'kid']);
  });
  await knex.schema.createTable('assertion_replays', (table) => {
    table.text('client_id').notNullable();
    table.text('jti').notNullable();
    table.timestamp('expires_at').notNullable().index();
    table.primary(['client_id', 'jti']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('assertion_replays');
  await knex('credentials').where({ type: 'public_key' }).delete();
  await knex.schema.alterTable('credentials', (table) => {
    table.dropUnique(['client_id', 'kid']);
    table.dropColumn('data');
    table.dropColumn('kid');
    table.dropNullable('hint');
  });
}
