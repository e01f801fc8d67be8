import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // No foreign keys: the tokens of a credential stay revoked after the credential or its account has been deleted.
  await knex.schema.createTable('status_entries', (table) => {
    table.integer('list').notNullable();
    table.integer('idx').notNullable();
    table.text('credential_id').notNullable();
    table.text('client_id').notNullable().index();
    table.text('company_id');
    table.timestamp('revoked_at');
    table.primary(['list', 'idx']);
  });
  await knex.raw('create unique index status_entries_live on status_entries (credential_id) where revoked_at is null');
  await knex.raw('create index status_entries_revoked on status_entries (revoked_at) where revoked_at is not null');
  await knex.schema.createTable('revoked_tokens', (table) => {
    table.text('jti').primary();
    table.text('client_id').notNullable();
    table.timestamp('expires_at').notNullable().index();
  });

  await knex.raw(`
    insert into status_entries (list, idx, credential_id, client_id, company_id)
    select place / 1048576, place % 1048576, credential_id, client_id, company_id
    from (
      select row_number() over (order by random()) - 1 as place, credential_id, client_id, credentials.company_id
      from credentials join service_accounts using (client_id)
      left join companies on companies.company_id = service_accounts.company_id
      where credentials.state <> 'disabled' and service_accounts.state = 'enabled'
        and companies.state is distinct from 'disabled'
    ) as placed`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('revoked_tokens');
  await knex.schema.dropTable('status_entries');
}
