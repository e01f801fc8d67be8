import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('companies', (table) => {
    // The limits by name. The limit of the server holds for a name that is missing.
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
