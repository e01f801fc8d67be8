import type { Knex } from 'knex';

/** Functions are made from `src/storage/functions` when their text is new: here stands which text each was made from. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('made_functions', (table) => {
    table.text('name').primary();
    table.text('digest').notNullable();
  });
}

/** The functions go first, and then the tables that they need. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop view if exists live_credentials');
  await knex.raw(`
    do $$ declare made text; begin
      for made in select oid::regprocedure from pg_proc
        where pronamespace = current_schema()::regnamespace and proname in (select name from made_functions)
      loop execute 'drop function ' || made; end loop;
    end $$`);
  await knex.schema.dropTable('made_functions');
}
