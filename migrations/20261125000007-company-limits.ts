import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('companies', (table) => {
    // By name; a limit that is not there is as the server says.
    table.jsonb('limits').notNullable().defaultTo('{}');
  });
  await knex.raw('create index credentials_company_id on credentials (company_id) where company_id is not null');
  // Statements of a volatile function each see the database anew, so it counts after it got the lock.
  await knex.raw(`
    create function company_to_count(id text, wanted text[], at timestamptz)
    returns table (company jsonb, used jsonb) language plpgsql volatile as $$
    begin
      select to_jsonb(companies) into company from companies where company_id = id for no key update;
      if company is null then return; end if;
      select coalesce(jsonb_object_agg(name, case name
        when 'serviceAccounts' then (select count(*) from service_accounts where company_id = id)
        when 'credentials' then (select count(*) from credentials where company_id = id and state <> 'ending'
          and (expires_at is null or expires_at > at))
        when 'groups' then (select count(*) from groups where company_id = id)
        when 'roles' then (select count(*) from roles where company_id = id)
        when 'resourceServers' then (select count(*) from resource_servers where company_id = id)
      end), '{}') into used from unnest(wanted) as name;
      return next;
    end $$`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function company_to_count(text, text[], timestamptz)');
  await knex.raw('drop index credentials_company_id');
  await knex.schema.alterTable('companies', (table) => {
    table.dropColumn('limits');
  });
}
