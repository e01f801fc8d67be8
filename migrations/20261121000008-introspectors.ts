import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('introspectors', (table) => {
    table.text('resource_server_id').notNullable();
    table.foreign('resource_server_id').references('resource_servers.resource_server_id').onDelete('CASCADE');
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE').index();
    table.primary(['resource_server_id', 'client_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('introspectors');
}
