-- Revokes the status entries of credentials that cannot get tokens any more, and gives new entries to credentials that
-- can get tokens again: called by storage/status-entries-table.ts. Rows are looked up by key, one account at a time: a
-- company may have very many accounts.
create or replace function settle_status_entries(accounts text[], at timestamptz) returns void language plpgsql as $$
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
end $$;
