import type { Knex } from 'knex';

/** The permissions that root lets managers of a company's accounts grant in the company without holding them. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('grantable', (table) => {
    table.text('company_id').notNullable().references('companies.company_id').onDelete('CASCADE');
    table.text('resource_server').notNullable().index();
    table.foreign('resource_server').references('resource_servers.resource_server_id').onDelete('CASCADE');
    // Null: every permission that the resource server declares.
    table.text('permission');
    table.boolean('qualified').notNullable();
  });
  await knex.raw(
    `create unique index grantable_once on grantable (company_id, resource_server, coalesce(permission, ''))`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('grantable');
}
