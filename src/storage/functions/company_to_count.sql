-- Counts the rows of a company: called by nodes of the previous release. They add rows without raising the numbers of
-- company_counts, so the function deletes the numbers, and everything is counted anew. A migration of a later release
-- drops this function.
create or replace function company_to_count(id text, wanted text[], at timestamptz)
returns table (company jsonb, used jsonb) language plpgsql volatile as $$
begin
  select to_jsonb(companies) into company from companies where company_id = id for no key update;
  if company is null then return; end if;
  delete from company_counts where company_id = id;
  select coalesce(jsonb_object_agg(name, case name
    when 'serviceAccounts' then (select count(*) from service_accounts where company_id = id)
    when 'credentials' then (select count(*) from credentials where company_id = id and state <> 'ending'
      and (expires_at is null or expires_at > at))
    when 'groups' then (select count(*) from groups where company_id = id)
    when 'roles' then (select count(*) from roles where company_id = id)
    when 'resourceServers' then (select count(*) from resource_servers where company_id = id)
  end), '{}') into used from unnest(wanted) as name;
  return next;
end $$;
