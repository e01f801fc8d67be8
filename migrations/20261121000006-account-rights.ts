import type { Knex } from 'knex';

/**
 * What an account was given, with everything that it refers to. A function, because reading it takes eight tables and
 * planning that costs twice as much as doing it: what stands in a function is planned once a connection.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function account_rights(account text, company text, audience text) returns jsonb language plpgsql stable as $$
    begin
      return (
        with its_groups as (
          select group_id from group_members where client_id = account and company_id = company
        ), its_grants as (
          select * from grants where client_id = account and company_id is not distinct from company
          union all
          select * from grants where company_id = company and group_id in (select group_id from its_groups)
        ), its_roles as (
          select role_key, role_id from roles where role_key in (select role_key from its_grants)
        ), their_permissions as (
          select * from role_permissions where role_key in (select role_key from its_roles)
        )
        select jsonb_build_object(
          'groups', (select coalesce(jsonb_agg(group_id order by group_id), '[]') from its_groups),
          'grants', (
            select coalesce(jsonb_agg(jsonb_build_object(
              'kind', kind, 'name', name, 'place', place, 'resource_server', resource_server, 'qualified', qualified,
              'role_key', role_key, 'group_id', group_id
            ) order by name, place, resource_server), '[]')
            from its_grants
          ),
          'roles', (
            select coalesce(jsonb_agg(jsonb_build_object('role_key', role_key, 'role_id', role_id, 'permissions', (
              select coalesce(jsonb_agg(jsonb_build_object(
                'permission', permission, 'resource_server', resource_server, 'qualified', qualified
              ) order by permission, resource_server), '[]')
              from their_permissions where their_permissions.role_key = its_roles.role_key
            ))), '[]')
            from its_roles
          ),
          'audiences', (
            select coalesce(jsonb_agg(jsonb_build_object(
              'resource_server_id', resource_server_id, 'company_id', company_id, 'identifier', identifier,
              'token_ttl', token_ttl, 'signing_alg', signing_alg, 'token_type', token_type
            )), '[]')
            from resource_servers where resource_server_id in (
              select resource_server from its_grants
              union select resource_server from their_permissions
              union values ('management'), ('default'), (audience)
            )
          )
        )
      );
    end $$`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop function account_rights(text, text, text)');
}
