-- The credentials of an account, oldest first: called by storage/credential-rows.ts. This is a function for the same
-- reason as rights_of_account: planning the query is expensive.
create or replace function account_credentials(account text, company text) returns jsonb language plpgsql stable as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'credential_id', credentials.credential_id, 'type', type, 'created_at', credentials.created_at,
      'secret_hash', encode(secret_hash, 'base64'), 'hint', hint, 'kid', kid, 'data', data,
      'name', credentials.name, 'description', description, 'state', state,
      'expires_at', expires_at, 'lifetime', lifetime, 'expires_by_policy', expires_by_policy, 'extend', extend,
      'permissions', permissions, 'rotated_from', rotated_from, 'successor', successor,
      'revision', credentials.revision,
      'status', case when status_entries.list is not null
        then jsonb_build_object('list', status_entries.list, 'idx', status_entries.idx) end,
      'audience', case when resource_servers.resource_server_id is not null then jsonb_build_object(
        'resource_server_id', resource_server_id, 'company_id', resource_servers.company_id,
        'identifier', identifier, 'token_ttl', token_ttl, 'signing_alg', signing_alg, 'token_type', token_type
      ) end,
      'trust', case when type = 'federated' then (
        -- A company's own trusted issuer replaces that of root, also while it is disabled.
        select case when trusted.state = 'enabled' then jsonb_build_object(
          'company_id', trusted.company_id, 'issuer', trusted.issuer, 'audience', trusted.audience, 'keys', trusted.keys,
          'algorithms', trusted.algorithms, 'max_token_age', trusted.max_token_age, 'replay', trusted.replay
        ) end
        from trusted_issuers trusted
        where trusted.issuer = data ->> 'issuer'
          and (trusted.company_id is null or trusted.company_id = account_credentials.company)
        order by trusted.company_id nulls last limit 1
      ) end
    ) order by credentials.created_at, credentials.credential_id), '[]')
    from credentials
    left join status_entries on status_entries.credential_id = credentials.credential_id and revoked_at is null
    left join resource_servers on resource_server_id = credentials.audience
    where credentials.client_id = account and credentials.company_id is not distinct from company
  );
end $$;
