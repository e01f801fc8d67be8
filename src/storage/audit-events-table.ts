import type { Knex } from 'knex';
import type { AuditStore } from '../domain/audit/audit-event.ts';

export function auditEventsTable(knex: Knex): AuditStore {
  return {
    async append(events) {
      if (events.length === 0) return;
      await knex('audit_events').insert(
        events.map((event) => ({
          event_id: event.eventId,
          occurred_at: event.occurredAt,
          action: event.action,
          target: event.target,
          actor: JSON.stringify(event.actor),
          request_id: event.requestId ?? null,
          details: JSON.stringify(event.details),
        })),
      );
    },
  };
}
