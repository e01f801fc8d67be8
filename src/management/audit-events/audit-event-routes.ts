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
    target: { ...ANY_ID, description: 'The id of what was changed' },
    actor: {
      ...ANY_ID,
      description: 'The clientId of who changed it; for an account of a company, root is every root account',
    },
    requestId: { ...ANY_ID, description: 'The X-Request-Id of the request that changed it' },
    from: { ...MOMENT, description: 'Not before: a time (RFC 3339), a date, or a duration back from now' },
    to: { ...MOMENT, description: 'Before, said in the same ways' },
    after: {
      type: 'string',
      format: 'event-or-moment',
      maxLength: 96,
      examples: ['evt_5V0kPEq8mDgXc2nB7TzWfY', ...MOMENT.examples],
      description:
        'Oldest first, from the one that follows this eventId, or a time, on: a reader who asks again after the last one misses none',
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
    target: { type: 'string', description: 'The id of what was changed' },
    company: { type: ['string', 'null'], description: 'Whose business it is; null: the server alone' },
    actor: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['service_account', 'server'] },
        clientId: {
          type: 'string',
          description: 'An account of a company reads root in place of the id of a root account',
        },
        credentialId: {
          type: 'string',
          description:
            'The credential that got the token of the call; an account of a company does not read it of root',
        },
        command: { type: 'string' },
      },
      required: ['type'],
      additionalProperties: false,
    },
    requestId: { type: ['string', 'null'] },
    source: {
      type: ['string', 'null'],
      description:
        'The address that the call came from; null: of the server itself, and of root to an account of a company',
    },
    details: { type: 'object', description: 'What changed, in the words of this API; never a secret' },
  },
  required: ['eventId', 'occurredAt', 'action', 'target', 'company', 'actor', 'requestId', 'source', 'details'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Reading what was recorded of every change: of everything, or of one company. */
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
        // To a company the id of a root account is like any that nobody has.
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
    list('/api/audit-events', 'listAuditEvents', 'List every change, newest first, or oldest first after one'),
    list(
      '/api/companies/{companyId}/audit-events',
      'listCompanyAuditEvents',
      'List the changes in a company, newest first, or oldest first after one',
    ),
  ];
}

/** Where a reader goes on: after the page before, or else where it says. */
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
