import type { Knex } from 'knex';
import type { Announcement } from '../domain/announcement.ts';
import { CHANNEL } from './change-feed.ts';
import type { Actor, AuditAction, AuditEvent, AuditFilter, AuditReader } from '../domain/audit/audit-event.ts';
import type { AuditEventId, CompanyId } from '../domain/ids.ts';
import type { Position } from '../domain/page.ts';
import { HANDFUL } from '../domain/storage.ts';
import { POSITIONS_LOCK } from './advisory-lock.ts';
import { ownRows } from './owned-rows.ts';
import { newestFirst, pageOf } from './paging.ts';
import { insertFromJson } from './insert-from-json.ts';
import type { Tables, Transaction } from './transaction.ts';

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

type Events = Knex.QueryBuilder<object, AuditEventRow[]>;

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

/** Records events and sends their announcements, in one statement. The announcements go out at the commit. */
export async function recordEvents(
  transaction: Tables,
  events: readonly AuditEvent[],
  announcements: readonly Announcement[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.raw(
    `with recorded as (${insertFromJson('audit_events', COLUMNS)})
     select pg_notify(?, announcement::text) from jsonb_array_elements(?::jsonb) as announcement`,
    [JSON.stringify(events.map(rowOf)), CHANNEL, JSON.stringify(announcements)],
  );
}

/** SQL for whether the actor of an event is an account that never belonged to the company of the event. */
const BY_ROOT = `actor ->> 'type' = 'service_account'
  and not exists (
    select from service_accounts owned
    where owned.client_id = audit_events.actor ->> 'clientId' and owned.company_id = audit_events.company_id
  ) and not exists (
    select from audit_events earlier
    where earlier.action = 'service_account.created' and earlier.target = audit_events.actor ->> 'clientId'
      and earlier.company_id = audit_events.company_id
  )`;

/** How many milliseconds times may deviate from the order of positions: the clocks of nodes may be a day apart. */
const CLOCKS_APART = 86_400_000;

/**
 * Gives positions to events that are committed, in one transaction at a time: an event that is seen later gets a later
 * position. Rows of all: the events of root and of every company have one order.
 */
const SETTLE = `
  update audit_events set position = placed.position
  from (
    select event_id, row_number() over (order by occurred_at, event_id)
      + (select coalesce(max(position), 0) from audit_events) as position
    from (
      select event_id, occurred_at from audit_events where position is null order by occurred_at, event_id limit ${HANDFUL}
    ) as waiting
  ) as placed
  where placed.event_id = audit_events.event_id
  returning audit_events.event_id`;

export function auditEventsTable(knex: Tables, transaction: Transaction): AuditReader {
  const filtered = ({ company, action, target, actor, byRoot = false, requestId, from, to }: AuditFilter): Events => {
    const query: Events = ownRows(knex, 'audit_events', company ?? '*').select<AuditEventRow[]>();
    if (action !== undefined) void query.where({ action });
    if (target !== undefined) void query.where({ target });
    if (actor !== undefined) void query.whereRaw(`actor ->> 'clientId' = ?`, [actor]);
    if (byRoot) void query.whereRaw(BY_ROOT);
    if (requestId !== undefined) void query.where({ request_id: requestId });
    if (from !== undefined) void query.where('occurred_at', '>=', from);
    if (to !== undefined) void query.where('occurred_at', '<', to);
    return query;
  };

  /** Lock first, then write: a single statement would not see the positions that another transaction has just given. */
  const settle = async (): Promise<number> =>
    transaction(async (tables) => {
      await tables.raw('select pg_advisory_xact_lock(?)', [POSITIONS_LOCK]);
      const { rows } = await tables.raw<{ rows: unknown[] }>(SETTLE);
      return rows.length;
    });

  /** The position of the last event before a time, or 0: readers of later events need not look at earlier positions. */
  async function lastBefore(time: Date, company: CompanyId | undefined): Promise<string> {
    const row = await ownRows(knex, 'audit_events', company ?? '*')
      .where('occurred_at', '<', time)
      .whereNotNull('position')
      .orderBy([
        { column: 'occurred_at', order: 'desc' },
        { column: 'event_id', order: 'desc' },
      ])
      .first<{ position: string } | undefined>('position');
    return row?.position ?? '0';
  }

  /** @returns undefined when there is no such event */
  async function positionOf(eventId: AuditEventId, company: CompanyId | undefined): Promise<string | undefined> {
    const row = await ownRows(knex, 'audit_events', company ?? '*')
      .where({ event_id: eventId })
      .first<{ position: string } | undefined>('position');
    return row?.position;
  }

  return {
    settle,

    async follow(filter, after, limit) {
      while ((await settle()) === HANDFUL);
      const query = filtered(filter);
      if (after instanceof Date) {
        const before = await lastBefore(new Date(after.getTime() - CLOCKS_APART), filter.company);
        void query.where('occurred_at', '>', after).where('position', '>', before);
      } else {
        const position = await positionOf(after, filter.company);
        if (position === undefined) return undefined;
        void query.where('position', '>', position);
      }
      const rows = await query
        .whereNotNull('position')
        .orderBy('position')
        .limit(limit + 1);
      return pageOf(rows, { limit, after: undefined }, eventFromRow, placeOf);
    },

    async list(filter, page) {
      const query = filtered(filter);
      newestFirst(query, { time: 'occurred_at', id: 'event_id' }, page);
      return pageOf(await query, page, eventFromRow, placeOf);
    },
  };
}

function placeOf({ occurredAt: time, eventId: id }: AuditEvent): Position {
  return { time, id };
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
