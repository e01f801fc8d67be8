import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('companies', (table) => {
    // By name; a limit that is not there is as the server says.
    table.jsonb('limits').notNullable().defaultTo('{}');
  });
  await knex.raw('create index credentials_company_id on credentials (company_id) where company_id is not null');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index credentials_company_id');
  await knex.schema.alterTable('companies', (table) => {
    table.dropColumn('limits');
  });
}
