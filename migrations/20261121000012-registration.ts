import type { Knex } from 'knex';

/**
 * What registering an account asks of the database. Functions, for the same reason as `account_rights`: planning the
 * statements took as long as running them.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function register_service_account(account jsonb, its_credentials jsonb, its_grants jsonb) returns boolean
    language plpgsql as $$
    declare
      made service_accounts := jsonb_populate_record(null::service_accounts, account);
    begin
      if exists (
        select from service_accounts where client_id = made.slug and company_id is not distinct from made.company_id
      ) then return false; end if;
      insert into service_accounts values (made.*) on conflict do nothing;
      if not found then return false; end if;
      insert into credentials select * from jsonb_populate_recordset(null::credentials, its_credentials);
      insert into grants select * from jsonb_populate_recordset(null::grants, its_grants);
      perform allot_status_entries(array_agg(credential_id), array_agg(client_id), made.company_id)
      from jsonb_populate_recordset(null::credentials, its_credentials);
      return true;
    end $$`);

  // Two statements: what one reads beside the rows it waits for is as old as its beginning.
  await knex.raw(`
    create function candidate_resource_servers(company text, names text[], identifier_keys text[]) returns table (
      resource_server_id text, company_id text, identifier text, token_ttl int, signing_alg text, token_type text,
      declared text[], anything boolean
    ) language plpgsql as $$
    declare
      locked text[] := array(
        select servers.resource_server_id from resource_servers servers
        where (servers.company_id is null or servers.company_id = company) and (
          servers.resource_server_id in ('management', 'default')
          or servers.identifier_key = any(identifier_keys)
          or servers.resource_server_id in (
            select declaring.resource_server_id from declared_permissions declaring where name = any(names)
          )
        )
        order by servers.resource_server_id for key share
      );
    begin
      return query
        select servers.resource_server_id, servers.company_id, servers.identifier, servers.token_ttl,
          servers.signing_alg, servers.token_type,
          array(
            select name from declared_permissions its
            where its.resource_server_id = servers.resource_server_id and name = any(names)
          ),
          servers.resource_server_id = 'default' and not exists (
            select from declared_permissions its where its.resource_server_id = 'default'
          )
        from resource_servers servers where servers.resource_server_id = any(locked);
    end $$`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function candidate_resource_servers(text, text[], text[])');
  await knex.raw('drop function register_service_account(jsonb, jsonb, jsonb)');
}
