import type { Knex } from 'knex';
import type { Change } from '../domain/change.ts';
import { CHANNEL } from './change-feed.ts';
import type { Actor, AuditAction, AuditEvent, AuditReader } from '../domain/audit/audit-event.ts';
import type { AuditEventId, CompanyId } from '../domain/ids.ts';
import { newestFirst, pageOf } from './paging.ts';
import { insertFromJson } from './insert-from-json.ts';
import type { Tables } from './transaction.ts';

interface AuditEventRow {
  event_id: AuditEventId;
  occurred_at: Date;
  action: AuditAction;
  target: string;
  company_id: CompanyId | null;
  actor: Actor;
  request_id: string | null;
  source: string | null;
  details: Record<string, unknown>;
}

const COLUMNS = [
  'event_id',
  'occurred_at',
  'action',
  'target',
  'company_id',
  'actor',
  'request_id',
  'source',
  'details',
] as const satisfies (keyof AuditEventRow)[];

/** Records events, and tells every node what they changed when the transaction commits: one statement for both. */
export async function recordEvents(
  transaction: Tables,
  events: readonly AuditEvent[],
  changes: readonly Change[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.raw(
    `with recorded as (${insertFromJson('audit_events', COLUMNS)})
     select pg_notify(?, change::text) from jsonb_array_elements(?::jsonb) as change`,
    [JSON.stringify(events.map(rowOf)), CHANNEL, JSON.stringify(changes)],
  );
}

/** That the actor is an account which the company of the event neither has nor had. */
const BY_ROOT = `actor ->> 'type' = 'service_account'
  and not exists (
    select from service_accounts owned
    where owned.client_id = audit_events.actor ->> 'clientId' and owned.company_id = audit_events.company_id
  ) and not exists (
    select from audit_events earlier
    where earlier.action = 'service_account.created' and earlier.target = audit_events.actor ->> 'clientId'
      and earlier.company_id = audit_events.company_id
  )`;

export function auditEventsTable(knex: Tables): AuditReader {
  return {
    async list({ company, action, target, actor, byRoot = false, requestId, from, to }, page) {
      const query: Knex.QueryBuilder<object, AuditEventRow[]> = knex('audit_events').select<AuditEventRow[]>();
      if (company !== undefined) void query.where({ company_id: company });
      if (action !== undefined) void query.where({ action });
      if (target !== undefined) void query.where({ target });
      if (actor !== undefined) void query.whereRaw(`actor ->> 'clientId' = ?`, [actor]);
      if (byRoot) void query.whereRaw(BY_ROOT);
      if (requestId !== undefined) void query.where({ request_id: requestId });
      if (from !== undefined) void query.where('occurred_at', '>=', from);
      if (to !== undefined) void query.where('occurred_at', '<', to);
      newestFirst(query, { time: 'occurred_at', id: 'event_id' }, page);
      return pageOf(await query, page, eventFromRow, ({ occurredAt: time, eventId: id }) => ({ time, id }));
    },
  };
}

function rowOf(event: AuditEvent): AuditEventRow {
  return {
    event_id: event.eventId,
    occurred_at: event.occurredAt,
    action: event.action,
    target: event.target,
    company_id: event.company ?? null,
    actor: event.actor,
    request_id: event.requestId ?? null,
    source: event.source ?? null,
    details: event.details,
  };
}

function eventFromRow(row: AuditEventRow): AuditEvent {
  return {
    eventId: row.event_id,
    occurredAt: row.occurred_at,
    action: row.action,
    target: row.target,
    company: row.company_id ?? undefined,
    actor: row.actor,
    requestId: row.request_id ?? undefined,
    source: row.source ?? undefined,
    details: row.details,
  };
}
