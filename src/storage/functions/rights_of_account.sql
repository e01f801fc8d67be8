-- The rights of an account, with everything that they refer to: called by storage/account-rows.ts. The query reads five
-- tables, and planning it costs twice as much as running it: PostgreSQL plans a function once a connection.
--
-- The function reads at most 10,000 grants and 10,000 permissions of roles (MOST_EFFECTIVE): roles and groups may have
-- grown beyond that before they had a limit. The grants of the account come first, then the grants of one group after
-- another. Keys are looked up in arrays: with a subquery, PostgreSQL would read every role and every resource server.
create or replace function rights_of_account(account text, company text, audience text) returns jsonb
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
      ) as all_grants order by group_id nulls first, name, place, resource_server, role_key limit 10000
    ), its_roles as (
      select role_key, role_id from roles where role_key = any(array(select role_key from its_grants))
    ), their_permissions as (
      select * from role_permissions where role_key = any(array(select role_key from its_roles))
      order by role_key, permission, resource_server limit 10000
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
          'token_ttl', token_ttl, 'signing_alg', signing_alg, 'token_type', token_type, 'sender_constraint', sender_constraint
        )), '[]')
        from resource_servers where resource_server_id = any(array(
          select resource_server from its_grants
          union select resource_server from their_permissions
          union values ('management'), ('default'), (audience)
        ))
      )
    )
  );
end $$;
