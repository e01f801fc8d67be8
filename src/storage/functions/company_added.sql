-- Counts the rows that a transaction has added to a company, after the rows are inserted: called by
-- storage/companies-table.ts and register_account. The answer has the numbers that may be above a limit
-- (at_most_allowed); every other number is within its limit.
--
-- The numbers in the table company_counts are never less than the company has. A transaction that adds rows raises the
-- numbers; when a number would pass its limit, the rows are counted and the number becomes exact. Other transactions
-- that add rows to the company wait until this one ends, and then see its rows: each statement of a volatile function
-- reads what was committed before the statement.
--
-- A credential that is extended by use counts for a day after its end: a use that is not recorded yet may extend it.
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
