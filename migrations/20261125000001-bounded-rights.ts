import type { Knex } from 'knex';

/**
 * The rights of an account are read as far as they may count (`MOST_EFFECTIVE`) and no further: its own first, then group
 * by group. Roles and groups may have grown beyond that before there was a limit for them.
 */
const BOUND = 10_000;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    accountRights(`order by group_id nulls first, name, place, resource_server, role_key limit ${BOUND}`, BOUND),
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(accountRights('', undefined));
}

function accountRights(someGrants: string, somePermissions: number | undefined): string {
  return `
    create or replace function account_rights(account text, company text, audience text) returns jsonb
    language plpgsql stable as $$
    begin
      return (
        with its_groups as (
          select group_id from group_members where client_id = account and company_id = company
        ), its_grants as (
          select * from (
            select * from grants where client_id = account and company_id is not distinct from company
            union all
            select * from grants where company_id = company and group_id in (select group_id from its_groups)
          ) as all_grants ${someGrants}
        ), its_roles as (
          select role_key, role_id from roles where role_key in (select role_key from its_grants)
        ), their_permissions as (
          select * from role_permissions where role_key in (select role_key from its_roles)
          ${somePermissions === undefined ? '' : `order by role_key, permission, resource_server limit ${somePermissions}`}
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
            select coalesce(jsonb_agg(jsonb_build_object('role_key', role_key, 'role_id', role_id, 'permissions',
              coalesce(permissions, '[]'))), '[]')
            from its_roles left join (
              select role_key, jsonb_agg(jsonb_build_object(
                'permission', permission, 'resource_server', resource_server, 'qualified', qualified
              ) order by permission, resource_server) as permissions
              from their_permissions group by role_key
            ) as given using (role_key)
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
    end $$`;
}
