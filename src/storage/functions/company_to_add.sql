-- Locks a company that is to get more of what is counted, and counts what may have reached its limit: called by
-- storage/companies-table.ts. The table company_counts has numbers that are never less than there is. A request that adds
-- raises them under the lock of the company, and nothing lowers them. Statements of a volatile function each see the database anew, so it
-- counts after it got the lock. A credential that its uses extend keeps its place for a day after its end: a use that has
-- not been written down yet may give it more time.
create or replace function company_to_add(id text, adding jsonb, server jsonb, at timestamptz)
returns table (company jsonb, used jsonb) language plpgsql volatile as $$
declare
  at_most_now jsonb;
  raised jsonb := '{}';
  name text;
  more int;
  most int;
  counted int;
begin
  select to_jsonb(companies) into company from companies where company_id = id for no key update;
  if company is null then return; end if;
  used := '{}';
  select at_most into at_most_now from company_counts where company_id = id;
  for name, more in select key, value::int from jsonb_each_text(adding) where value::int > 0 loop
    most := coalesce(company -> 'limits' -> name, server -> name)::int;
    counted := (at_most_now ->> name)::int;
    if counted is null or counted + more > most then
      counted := case name
        when 'serviceAccounts' then (select count(*) from service_accounts where company_id = id)
        when 'credentials' then (select count(*) from credentials where company_id = id and state <> 'ending'
          and (expires_at is null or expires_at > at - case when extend then interval '1 day' else '0' end))
        when 'groups' then (select count(*) from groups where company_id = id)
        when 'roles' then (select count(*) from roles where company_id = id)
        when 'resourceServers' then (select count(*) from resource_servers where company_id = id)
      end;
      used := used || jsonb_build_object(name, counted);
    end if;
    raised := raised || jsonb_build_object(name, counted + more);
  end loop;
  if at_most_now is null then
    insert into company_counts (company_id, at_most) values (id, raised);
  elsif raised <> '{}' then
    update company_counts set at_most = at_most || raised where company_id = id;
  end if;
  return next;
end $$;
