-- Gives each credential a random entry in a status list: called by register_service_account, settle_status_entries and
-- storage/credentials-table.ts. If an entry is taken, the function tries another one; if nearly all are taken, it
-- begins the next list.
create or replace function allot_status_entries(lacking text[], accounts text[], company text) returns void
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
end $$;
