import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  // No reference to the credential or its account: what they minted stays revoked when they are gone.
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

  // Gives each credential a place at random: one that is taken is none, and where nearly all are, the next list begins.
  await knex.raw(`
    create function allot_status_entries(lacking text[], accounts text[], company text) returns void
    language plpgsql as $$
    declare
      capacity constant int := 1048576;
      most_misses constant int := 64;
      misses int := 0;
      tried int := 0;
      list_now int := (select coalesce(max(list), 0) from status_entries);
      made text[];
    begin
      while cardinality(lacking) > 0 loop
        with allotted as (
          insert into status_entries (list, idx, credential_id, client_id, company_id)
          select list_now, floor(random() * capacity)::int, wanted.credential, wanted.account, company
          from unnest(lacking, accounts) as wanted (credential, account)
          on conflict do nothing returning credential_id
        )
        select coalesce(array_agg(credential_id), '{}') into made from allotted;
        exit when cardinality(made) = cardinality(lacking);
        if cardinality(made) * most_misses < cardinality(lacking) then misses := misses + 1; end if;
        if misses = most_misses then
          list_now := list_now + 1;
          misses := 0;
          tried := tried + 1;
          if tried > 8 then raise exception 'no status list has a place for %', lacking; end if;
        end if;
        select coalesce(array_agg(credential), '{}'), array_agg(account)
          into lacking, accounts
          from unnest(lacking, accounts) as wanted (credential, account)
          where not exists (select from unnest(made) as done (credential) where done.credential = wanted.credential);
      end loop;
    end $$`);

  // Revokes the places of what cannot get tokens any more, and gives new ones to what can again. Everything is looked up
  // by its key, an account at a time: a company may have very many.
  await knex.raw(`
    create view live_credentials as
      select credential_id, client_id, credentials.company_id from credentials
      join service_accounts using (client_id) left join companies on companies.company_id = service_accounts.company_id
      where credentials.state <> 'disabled' and service_accounts.state = 'enabled'
        and companies.state is distinct from 'disabled'`);
  await knex.raw(`
    create function settle_status_entries(accounts text[], at timestamptz) returns void language plpgsql as $$
    begin
      update status_entries set revoked_at = at
      from unnest(accounts) as settled (client_id)
      where status_entries.client_id = settled.client_id and revoked_at is null and not exists (
        select from live_credentials where live_credentials.credential_id = status_entries.credential_id
      );
      perform allot_status_entries(array_agg(credential_id), array_agg(client_id), company_id)
      from unnest(accounts) as settled (client_id) join live_credentials using (client_id)
      where not exists (
        select from status_entries
        where status_entries.credential_id = live_credentials.credential_id and revoked_at is null
      )
      group by company_id;
    end $$`);
  await knex.raw('select settle_status_entries(array(select client_id from service_accounts), now())');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function settle_status_entries(text[], timestamptz)');
  await knex.raw('drop view live_credentials');
  await knex.raw('drop function allot_status_entries(text[], text[], text)');
  await knex.schema.dropTable('revoked_tokens');
  await knex.schema.dropTable('status_entries');
}
