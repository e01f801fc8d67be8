import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('service_accounts', (table) => {
    table.text('client_id').primary();
    table.text('slug').notNullable().unique();
    table.text('name').notNullable();
    table.text('audience').notNullable();
    table.timestamp('created_at').notNullable();
    table.text('created_by');
    table.timestamp('updated_at').notNullable();
    table.index(['created_at', 'client_id']);
  });
  await knex.schema.createTable('credentials', (table) => {
    table.text('credential_id').primary();
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE').index();
    table.text('type').notNullable();
    table.binary('secret_hash').unique();
    table.text('hint').notNullable();
    table.timestamp('created_at').notNullable();
  });
  await knex.schema.createTable('grants', (table) => {
    table.text('grant_id').primary();
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE');
    table.text('kind').notNullable();
    table.text('name').notNullable();
    table.text('resource_server').notNullable();
    table.unique(['client_id', 'kind', 'name', 'resource_server']);
  });
  await knex.schema.createTable('retired_ids', (table) => {
    table.text('id').primary();
    table.timestamp('retired_at').notNullable();
  });
  await knex.schema.createTable('signing_keys', (table) => {
    table.text('kid').primary();
    table.text('alg').notNullable();
    table.jsonb('public_jwk').notNullable();
    table.text('sealed_private_jwk').notNullable();
    table.timestamp('created_at').notNullable();
  });
  await knex.schema.createTable('server_secrets', (table) => {
    table.text('name').primary();
    table.text('sealed').notNullable();
    table.timestamp('created_at').notNullable();
  });
  await knex.schema.createTable('audit_events', (table) => {
    table.text('event_id').primary();
    table.timestamp('occurred_at').notNullable();
    table.text('action').notNullable();
    table.text('target').notNullable();
    table.jsonb('actor').notNullable();
    table.text('request_id');
    table.jsonb('details').notNullable();
    table.index(['occurred_at', 'event_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'audit_events',
    'server_secrets',
    'signing_keys',
    'retired_ids',
    'grants',
    'credentials',
    'service_accounts',
  ]) {
    await knex.schema.dropTable(table);
  }
}
