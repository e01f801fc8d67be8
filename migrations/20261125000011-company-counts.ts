import type { Knex } from 'knex';

/**
 * Numbers for everything that is counted, which are never less than the company has. A request that adds rows to a
 * company locks its numbers and raises them. When a number would pass a limit, the rows are counted and the number
 * becomes exact.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('company_counts', (table) => {
    table.text('company_id').primary().references('companies.company_id').onDelete('CASCADE');
    // The numbers by the name of the limit. A name is missing until its rows have been counted.
    table.jsonb('at_most').notNullable();
  });
  // Every registered account rewrites a row. With free space in its page, the row stays there and no index changes.
  await knex.raw('alter table company_counts set (fillfactor = 50)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('company_counts');
}
