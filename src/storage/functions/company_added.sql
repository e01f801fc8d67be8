-- Counts what a transaction has added to a company, once its rows are there: called by storage/companies-table.ts. It
-- answers the numbers that may be more than the company is allowed (at_most_allowed); everything else has room.
--
-- The table company_counts has numbers that are never less than the company has. A transaction that adds raises them, and
-- nothing lowers them: where a number would pass the limit, the rows are counted. Other transactions that add wait from
-- here on until this one ends, and a statement of a volatile function sees what was committed before it.
-- A credential that its uses extend keeps its place for a day after its end: a use that has not been written down yet may
-- give it more time.
create or replace function company_added(id text, added jsonb, at_most_allowed jsonb, at timestamptz) returns jsonb
language plpgsql volatile as $$
declare
  known jsonb;
  raised jsonb := '{}';
  used jsonb := '{}';
  name text;
  more int;
  number int;
begin
  select counts.at_most into known from company_counts counts where counts.company_id = id for update;
  if known is null then
    insert into company_counts (company_id, at_most) values (id, '{}') on conflict do nothing;
    select counts.at_most into known from company_counts counts where counts.company_id = id for update;
  end if;
  for name, more in select key, value::int from jsonb_each_text(added) where value::int > 0 loop
    number := (known ->> name)::int + more;
    if number is null or number > (at_most_allowed ->> name)::int then
      number := case name
        when 'serviceAccounts' then (select count(*) from service_accounts where company_id = id)
        when 'credentials' then (select count(*) from credentials where company_id = id and state <> 'ending'
          and (expires_at is null or expires_at > at - case when extend then interval '1 day' else '0' end))
        when 'groups' then (select count(*) from groups where company_id = id)
        when 'roles' then (select count(*) from roles where company_id = id)
        when 'resourceServers' then (select count(*) from resource_servers where company_id = id)
      end;
      used := used || jsonb_build_object(name, number);
    end if;
    raised := raised || jsonb_build_object(name, number);
  end loop;
  if raised <> '{}' then update company_counts set at_most = known || raised where company_id = id; end if;
  return used;
end $$;
