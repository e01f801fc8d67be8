-- Registers an account with its credentials and grants, in one round trip: called by register_account. The answer is
-- false, and nothing is changed, when the slug or the id is taken, or when the slug is the id of another account of the
-- company. The function names the columns that it fills, so that a later release can add a column while this release
-- runs.
create or replace function register_service_account(account jsonb, its_credentials jsonb, its_grants jsonb)
returns boolean language plpgsql as $$
declare
  made service_accounts := jsonb_populate_record(null::service_accounts, account);
begin
  if exists (
    select from service_accounts where client_id = made.slug and company_id is not distinct from made.company_id
  ) then return false; end if;
  insert into service_accounts (
    client_id, company_id, slug, name, description, state, audience, token_ttl, metadata, created_at,
    created_by, updated_at, revision
  ) values (
    made.client_id, made.company_id, made.slug, made.name, made.description, made.state, made.audience,
    made.token_ttl, made.metadata, made.created_at, made.created_by, made.updated_at, made.revision
  ) on conflict do nothing;
  if not found then return false; end if;
  insert into credentials (
    credential_id, client_id, company_id, type, secret_hash, hint, kid, data, audience, created_at, name,
    description, state, expires_at, lifetime, expires_by_policy, extend, rotated_from, permissions, successor,
    revision
  ) select
    credential_id, client_id, company_id, type, secret_hash, hint, kid, data, audience, created_at, name,
    description, state, expires_at, lifetime, expires_by_policy, extend, rotated_from, permissions, successor,
    revision
  from jsonb_populate_recordset(null::credentials, its_credentials);
  insert into grants (
    grant_id, client_id, company_id, group_id, kind, name, place, resource_server, qualified, role_key
  ) select
    grant_id, client_id, company_id, group_id, kind, name, place, resource_server, qualified, role_key
  from jsonb_populate_recordset(null::grants, its_grants);
  perform allot_status_entries(array_agg(credential_id), array_agg(client_id), made.company_id)
  from jsonb_populate_recordset(null::credentials, its_credentials);
  return true;
end $$;
