-- Merges arrays of requests into one array of the 20 newest requests: called by storage/refusals-table.ts.
create or replace function newest_requests(arrays jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_agg(request order by request ->> 'occurredAt' desc), '[]')
  from (
    select request from jsonb_array_elements(arrays) as requests, jsonb_array_elements(requests) as request
    order by request ->> 'occurredAt' desc limit 20
  ) as newest
$$;
