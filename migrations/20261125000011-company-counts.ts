import type { Knex } from 'knex';

/**
 * For everything that is counted, a number that is never less than the company has. A request that adds to a company raises
 * the number under the lock of the company. Nothing lowers it: where it reaches a limit, the company is counted anew.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('company_counts', (table) => {
    table.text('company_id').primary().references('companies.company_id').onDelete('CASCADE');
    // By the name of the limit; what is not there has not been counted yet.
    table.jsonb('at_most').notNullable();
  });
  // A row is written anew with every account that is registered: in the same page, without touching an index.
  await knex.raw('alter table company_counts set (fillfactor = 50)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('company_counts');
}
