import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { AUDIT_ACTIONS, type AuditEvent, type AuditFilter, type AuditReader } from '../../domain/audit/audit-event.ts';
import { ANY_ID, MOMENT, TIME } from '../common-schema.ts';
import { readMoment } from '../moment.ts';
import { ProblemError } from '../problems.ts';
import type { PageRequest } from '../../domain/page.ts';
import { type AuditEventId, isAuditEventId } from '../../domain/ids.ts';
import { ROOT_ACTOR, type RootVeil } from '../root-veil.ts';
import { defineRoute, type Route } from '../route.ts';

const FILTER = {
  type: 'object',
  properties: {
    action: { type: 'string', enum: AUDIT_ACTIONS },
    target: { ...ANY_ID, description: 'The id of the changed resource' },
    actor: {
      ...ANY_ID,
      description:
        'The clientId of the account that made the change; for an account of a company, root means every root account',
    },
    requestId: { ...ANY_ID, description: 'The X-Request-Id of the request that made the change' },
    from: { ...MOMENT, description: 'The earliest time: a time (RFC 3339), a date, or a duration back from now' },
    to: { ...MOMENT, description: 'The latest time, exclusive, in the same forms' },
    after: {
      type: 'string',
      format: 'event-or-moment',
      maxLength: 96,
      examples: ['evt_5V0kPEq8mDgXc2nB7TzWfY', ...MOMENT.examples],
      description:
        'Lists oldest first, beginning after the event with this eventId, or after a time. A reader that goes on after the last event misses none',
    },
  },
  additionalProperties: false,
} as const;

const AUDIT_EVENT = {
  title: 'AuditEvent',
  type: 'object',
  properties: {
    eventId: { type: 'string' },
    occurredAt: TIME,
    action: { type: 'string', enum: AUDIT_ACTIONS },
    target: { type: 'string', description: 'The id of the changed resource' },
    company: {
      type: ['string', 'null'],
      description: 'The company that may read the event; null: only root may read it',
    },
    actor: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['service_account', 'server'] },
        clientId: {
          type: 'string',
          description: 'An account of a company sees root in place of the id of a root account',
        },
        credentialId: {
          type: 'string',
          description:
            'The credential that got the token of the call; an account of a company does not see the credentials of root',
        },
        impersonates: { type: 'string', description: 'The clientId of the account as which the actor made the change' },
        command: { type: 'string' },
      },
      required: ['type'],
      additionalProperties: false,
    },
    requestId: { type: ['string', 'null'] },
    source: {
      type: ['string', 'null'],
      description:
        'The address that the call came from; null: the server itself made the change, or root did and an account of a company reads it',
    },
    details: { type: 'object', description: 'The changed values, with the member names of this API; never a secret' },
  },
  required: ['eventId', 'occurredAt', 'action', 'target', 'company', 'actor', 'requestId', 'source', 'details'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operations that list audit events: all events, or those of one company. */
export function auditEventRoutes(auditEvents: AuditReader, rootVeil: Pick<RootVeil, 'isOwn'>): Route[] {
  const list = (path: string, operationId: string, summary: string): Route =>
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path,
      operationId,
      summary,
      tag: 'Audit',
      permission: 'writ.audit.view',
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The events', schema: { type: 'array', items: AUDIT_EVENT } } },
      async handle({ caller, now, company, query: { actor, from, to, after, ...filter }, page }) {
        const byRoot = caller.company !== undefined && actor === ROOT_ACTOR;
        const foreign = caller.company !== undefined && actor !== undefined && !byRoot;
        // For a company, the id of a root account looks like an unknown id.
        if (foreign && !(await rootVeil.isOwn(caller.company, actor))) return { status: 200, body: [] };
        const wanted: AuditFilter = {
          ...filter,
          from: readMoment(from, now, 'past'),
          to: readMoment(to, now, 'past'),
          company,
          byRoot,
          ...(!byRoot && { actor }),
        };
        const { items, next } =
          after === undefined
            ? await auditEvents.list(wanted, page)
            : ((await auditEvents.follow(wanted, following(after, page, now), page.limit)) ?? noSuchEvent());
        return { status: 200, body: items.map(present), next };
      },
    });
  return [
    list('/api/audit-events', 'listAuditEvents', 'List all changes, newest first; with `after`, oldest first'),
    list(
      '/api/companies/{companyId}/audit-events',
      'listCompanyAuditEvents',
      'List the changes in a company, newest first; with `after`, oldest first',
    ),
  ];
}

/** The event or time after which a reader goes on: the last event of the previous page, or else `after`. */
function following(text: string, page: PageRequest, now: Date): AuditEventId | Date {
  const after = page.after?.id ?? text;
  return isAuditEventId(after) ? after : (readMoment(text, now, 'past') ?? noSuchEvent());
}

function noSuchEvent(): never {
  throw new ProblemError({ status: 400, code: 'invalid_query', detail: 'after is the id of no event here' });
}

function present(event: AuditEvent): FromSchema<typeof AUDIT_EVENT> {
  const {
    eventId,
    occurredAt,
    action,
    target,
    company = null,
    actor,
    requestId = null,
    source = null,
    details,
  } = event;
  return { eventId, occurredAt: occurredAt.toISOString(), action, target, company, actor, requestId, source, details };
}
