import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // No foreign key to the credential: its uses stay of interest after the credential has been deleted.
  await knex.schema.createTable('last_uses', (table) => {
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE');
    table.text('credential_id').notNullable();
    table.timestamp('used_at').notNullable();
    table.text('source').notNullable();
    table.primary(['client_id', 'credential_id']);
  });
  await knex.schema.createTable('use_counts', (table) => {
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE');
    table.text('credential_id').notNullable();
    table.date('day').notNullable().index();
    table.bigInteger('count').notNullable();
    table.primary(['client_id', 'credential_id', 'day']);
  });
  await knex.raw(`create index credentials_expiring on credentials (expires_at) where expires_at is not null`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index credentials_expiring');
  await knex.schema.dropTable('use_counts');
  await knex.schema.dropTable('last_uses');
}
