-- The resource servers to which the named permissions may be bound: called by storage/resource-servers-table.ts. Lock
-- first, then read: a single statement would read the declared permissions as they were before it got the locks. The
-- ids are an array, so that PostgreSQL reads no other resource server.
create or replace function candidate_resource_servers(company text, names text[], identifier_keys text[]) returns table (
  resource_server_id text, company_id text, identifier text, token_ttl int, signing_alg text, token_type text,
  declared text[], anything boolean
) language plpgsql as $$
declare
  locked text[] := array(
    select servers.resource_server_id from resource_servers servers
    where (servers.company_id is null or servers.company_id = company) and servers.resource_server_id = any(array(
      values ('management'), ('default')
      union select named.resource_server_id from resource_servers named where named.identifier_key = any(identifier_keys)
      union select declaring.resource_server_id
        from declared_permissions declaring join resource_servers owned
          on owned.resource_server_id = declaring.resource_server_id
        where declaring.name = any(names) and (owned.company_id is null or owned.company_id = company)
    ))
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
end $$;
