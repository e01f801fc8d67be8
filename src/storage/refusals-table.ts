import type { Knex } from 'knex';
import { MOST_ALONE } from '../domain/activity/gather-refusals.ts';
import type { RecordedRefusals, RefusalReason, RefusedRequest } from '../domain/activity/refusal.ts';
import type { RefusalStore } from '../domain/activity/refusal-store.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import { allRows, ownRows } from './owned-rows.ts';
import { newestFirst, pageOf } from './paging.ts';
import { HANDFUL } from '../domain/storage.ts';
import type { Tables } from './transaction.ts';

interface RefusalsRow {
  refusal_id: string;
  client_id: ClientId | null;
  company_id: CompanyId | null;
  named: string;
  reason: RefusalReason;
  source: string;
  count: string;
  first_at: Date;
  last_at: Date;
  recent: (Omit<RefusedRequest, 'occurredAt'> & { occurredAt: string })[];
}

/** How many characters are kept of an id that no account has. */
const SHORTENED = 12;

/** The most rows of ids that no account has. */
const MOST_NOBODYS = 1000;

/** How long a row must be quiet before it is deleted to make room in its bucket. */
const QUIET = '1 day';

/**
 * The statement finds out whether an account has the id: a node does not ask the database about every id that is sent.
 * A refusal gets a row of its own while there is room in its bucket, and otherwise counts in the bucket's row for many.
 *
 * Two nodes that record at once may each take the last room. The fixed order prevents deadlocks between them.
 */
const RECORD = `
  with seen as (
    select account.client_id, account.company_id, reason, source, count, first_at, last_at, recent,
      case when account.client_id is not null or length(named) <= ${SHORTENED} then named
        else left(named, ${SHORTENED}) || '...' end as named
    from jsonb_to_recordset(?::jsonb) as sent (
      named text, reason text, source text, count bigint, first_at timestamptz, last_at timestamptz, recent jsonb
    )
    left join service_accounts as account on account.client_id = sent.named
  ), bucketed as (
    select seen.*, refusals.refusal_id is not null or seen.named = '' or seen.source = '' as settled,
      case when seen.client_id is null then seen.source else seen.named || ' ' || seen.reason end as its_bucket
    from seen left join refusals on refusal_id = seen.named || ' ' || seen.reason || ' ' || seen.source
  ), placed as (
    select *, settled or row_number() over (partition by its_bucket, settled order by first_at) + (
        select count(*) from refusals where bucket = its_bucket and refusals.named <> '' and refusals.source <> ''
      ) <= ${MOST_ALONE} as alone
    from bucketed
  )
  insert into refusals (client_id, company_id, named, reason, source, count, first_at, last_at, recent)
    select client_id, company_id,
      case when alone or client_id is not null then named else '' end as one_named, reason,
      case when alone or client_id is null then source else '' end as one_source,
      sum(count), min(first_at), max(last_at), newest_requests(jsonb_agg(recent))
    from placed group by client_id, company_id, one_named, reason, one_source
    order by one_named, reason, one_source
    on conflict (refusal_id) do update set
      count = refusals.count + excluded.count,
      first_at = least(refusals.first_at, excluded.first_at),
      last_at = greatest(refusals.last_at, excluded.last_at),
      recent = newest_requests(jsonb_build_array(refusals.recent, excluded.recent))
    returning client_id is null as nobodys`;

/** Deletes the oldest rows of ids that no account has. Rows of all: such ids belong to no company. */
const FORGET_NOBODYS = `
  delete from refusals where refusal_id in (
    select refusal_id from refusals where client_id is null order by last_at desc offset ${MOST_NOBODYS}
  )`;

/**
 * Deletes quiet rows of buckets whose row for many has grown lately. Rows of all: a bucket has one account or source.
 */
const FORGET_QUIET = `
  delete from refusals using refusals as many
    where (many.named = '' or many.source = '') and many.last_at > now() - interval '${QUIET}'
      and refusals.bucket = many.bucket and refusals.named <> '' and refusals.source <> ''
      and refusals.last_at < now() - interval '${QUIET}'
    returning 1`;

export function refusalsTable(knex: Tables): RefusalStore {
  return {
    async record(refusals) {
      if (refusals.length === 0) return;
      const rows = refusals.map(({ clientId = '', reason, source = '', count, firstAt, lastAt, recent }) => ({
        named: clientId,
        reason,
        source,
        count,
        first_at: firstAt,
        last_at: lastAt,
        recent,
      }));
      const { rows: recorded } = await knex.raw<{ rows: { nobodys: boolean }[] }>(RECORD, [JSON.stringify(rows)]);
      if (recorded.some(({ nobodys }) => nobodys)) await knex.raw(FORGET_NOBODYS);
    },

    async list({ company, account, clientId, requestId }, page) {
      const query: Knex.QueryBuilder<object, RefusalsRow[]> = ownRows(knex, 'refusals', company ?? '*').select<
        RefusalsRow[]
      >();
      if (account !== undefined) void query.where({ client_id: account.clientId, company_id: account.company ?? null });
      if (clientId !== undefined) void query.whereIn('named', [clientId, `${clientId.slice(0, SHORTENED)}...`]);
      if (requestId !== undefined) void query.whereRaw('recent @> ?::jsonb', [JSON.stringify([{ requestId }])]);
      newestFirst(query, { time: 'last_at', id: 'refusal_id' }, page);
      return pageOf(await query, page, fromRow, ({ lastAt: time, refusalId: id }) => ({ time, id }));
    },

    async deleteBefore(before) {
      const old: unknown[] = await allRows(knex, 'refusals')
        .whereIn(
          'refusal_id',
          allRows(knex, 'refusals').where('last_at', '<', before).limit(HANDFUL).select('refusal_id'),
        )
        .delete('refusal_id');
      const { rows: quiet } = await knex.raw<{ rows: unknown[] }>(FORGET_QUIET);
      return old.length + quiet.length;
    },
  };
}

function fromRow(row: RefusalsRow): RecordedRefusals {
  return {
    refusalId: row.refusal_id,
    clientId: row.named === '' ? undefined : row.named,
    known: row.client_id !== null,
    company: row.company_id ?? undefined,
    reason: row.reason,
    source: row.source === '' ? undefined : row.source,
    count: Number(row.count),
    firstAt: row.first_at,
    lastAt: row.last_at,
    recent: row.recent.map((request) => ({ ...request, occurredAt: new Date(request.occurredAt) })),
  };
}
