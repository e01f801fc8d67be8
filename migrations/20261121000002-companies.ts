import type { Knex } from 'knex';

/** The tables whose rows belong to a company, or to root (null). */
const OWNED = ['service_accounts', 'credentials', 'grants', 'audit_events'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('companies', (table) => {
    table.text('company_id').primary();
    table.text('name').notNullable();
    table.text('state').notNullable();
    table.timestamp('created_at').notNullable();
    table.text('created_by');
    table.timestamp('updated_at').notNullable();
    table.integer('revision').notNullable();
    table.index(['created_at', 'company_id']);
  });
  for (const owned of OWNED) await knex.schema.alterTable(owned, (table) => table.text('company_id'));
  await knex.schema.alterTable('service_accounts', (table) => {
    table.foreign('company_id').references('companies.company_id').onDelete('CASCADE');
    table.text('description');
    table.text('state').notNullable().defaultTo('enabled');
    table.integer('token_ttl');
    table.jsonb('metadata').notNullable().defaultTo('{}');
    table.integer('revision').notNullable().defaultTo(1);
    table.setNullable('audience');
    table.dropUnique(['slug']);
    table.dropIndex(['created_at', 'client_id']);
    table.index(['company_id', 'created_at', 'client_id']);
  });
  await knex.raw(
    `create unique index service_accounts_company_id_slug_unique on service_accounts (company_id, slug) nulls not distinct`,
  );
  // An index for root accounts: null is no constant to the planner, which would sort all root accounts for each page.
  await knex.raw(
    'create index service_accounts_root on service_accounts (created_at, client_id) where company_id is null',
  );
  await knex.raw('create index service_accounts_slug_prefix on service_accounts (slug text_pattern_ops)');
  await knex.raw('create index service_accounts_name_prefix on service_accounts (lower(name) text_pattern_ops)');
  await knex.schema.alterTable('audit_events', (table) => {
    table.index(['company_id', 'occurred_at', 'event_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex('service_accounts').whereNotNull('company_id').delete();
  await knex('service_accounts').whereNull('audience').update({ audience: 'default' });
  await knex.raw('drop index service_accounts_name_prefix');
  await knex.raw('drop index service_accounts_slug_prefix');
  await knex.raw('drop index service_accounts_root');
  await knex.raw('drop index service_accounts_company_id_slug_unique');
  await knex.schema.alterTable('service_accounts', (table) => {
    table.dropIndex(['company_id', 'created_at', 'client_id']);
    for (const column of ['description', 'state', 'token_ttl', 'metadata', 'revision']) table.dropColumn(column);
    table.dropNullable('audience');
    table.unique(['slug']);
    table.index(['created_at', 'client_id']);
  });
  for (const owned of OWNED) await knex.schema.alterTable(owned, (table) => table.dropColumn('company_id'));
  await knex.schema.dropTable('companies');
}
