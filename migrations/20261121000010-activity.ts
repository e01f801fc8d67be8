import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('refusals', (table) => {
    // Null: no account has the id in `named`.
    table.text('client_id').references('service_accounts.client_id').onDelete('CASCADE');
    table.text('company_id');
    // Empty: the requests named no client, or many clients.
    table.text('named').notNullable();
    table.text('reason').notNullable();
    // Empty: many sources.
    table.text('source').notNullable();
    table.bigInteger('count').notNullable();
    table.timestamp('first_at').notNullable();
    table.timestamp('last_at').notNullable().index();
    table.jsonb('recent').notNullable();
    table.specificType('refusal_id', `text generated always as (named || ' ' || reason || ' ' || source) stored`);
    table.primary(['refusal_id']);
    // Only a few rows of one bucket may stand for a single client and a single source.
    table.specificType(
      'bucket',
      `text generated always as (case when client_id is null then source else named || ' ' || reason end) stored`,
    );
    table.index(['bucket']);
    table.index(['client_id', 'last_at', 'refusal_id']);
    table.index(['company_id', 'last_at', 'refusal_id']);
    table.index(['named']);
  });
  await knex.raw('create index refusals_nobodys on refusals (last_at) where client_id is null');
  await knex.raw(`create index refusals_folded on refusals (last_at) where named = '' or source = ''`);
  await knex.raw('create index refusals_recent on refusals using gin (recent jsonb_path_ops)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('refusals');
}
