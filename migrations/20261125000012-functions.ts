import type { Knex } from 'knex';

/** Functions are created from `src/storage/functions` when their text is new. The table has the digest of each text. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('made_functions', (table) => {
    table.text('name').primary();
    table.text('digest').notNullable();
  });
}

/** Drops the functions before the tables that they need. */
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
