import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('credentials', (table) => {
    table.text('audience').index();
    table.foreign('audience').references('resource_servers.resource_server_id').onDelete('CASCADE');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex('credentials').where({ type: 'api_key' }).delete();
  await knex.schema.alterTable('credentials', (table) => {
    table.dropColumn('audience');
  });
}
