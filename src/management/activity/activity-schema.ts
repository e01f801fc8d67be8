import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { MOST_RECENT, OAUTH_ENDPOINTS, type RecordedRefusals, REFUSAL_REASONS } from '../../domain/activity/refusal.ts';
import type { LastUse } from '../../domain/credentials/use-store.ts';
import { TIME } from '../common-schema.ts';

const REFUSED_REQUEST = {
  title: 'RefusedRequest',
  type: 'object',
  properties: {
    requestId: { type: 'string', description: 'The X-Request-Id of the request; the error answer has it, too' },
    occurredAt: TIME,
    endpoint: { type: 'string', enum: OAUTH_ENDPOINTS },
    source: { type: 'string', description: 'The address that the request came from', examples: ['192.0.2.7'] },
    credentialId: { type: ['string', 'null'], description: 'The credential that the request used or named' },
    status: { type: ['integer', 'null'], description: 'The HTTP status of the answer', examples: [401] },
    error: {
      type: ['string', 'null'],
      description: 'The error code that the client got',
      examples: ['invalid_client'],
    },
    errorDescription: {
      type: ['string', 'null'],
      description: 'The error description that the client got',
      examples: ['client authentication failed'],
    },
    detail: {
      type: ['string', 'null'],
      description: 'The details of the error',
      examples: ["aud is 'https://other.example', expected https://id.example"],
    },
  },
  required: [
    'requestId',
    'occurredAt',
    'endpoint',
    'source',
    'credentialId',
    'status',
    'error',
    'errorDescription',
    'detail',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Refusals of one client, for one reason, from one source. */
export const REFUSALS = {
  title: 'Refusals',
  type: 'object',
  properties: {
    reason: {
      type: 'string',
      enum: REFUSAL_REASONS,
      description: 'The true reason; assertion_{check}: the assertion failed this check',
    },
    clientId: {
      type: ['string', 'null'],
      description:
        'The client id that the requests name; an unknown id is shortened to its beginning; null: no id, or many ids',
    },
    known: { type: 'boolean', description: 'Whether an account with this id exists' },
    company: { type: ['string', 'null'], description: 'The company of the account' },
    source: {
      type: ['string', 'null'],
      description: 'The address that the requests came from; null: many addresses',
      examples: ['192.0.2.7'],
    },
    count: { type: 'integer', minimum: 1 },
    firstAt: TIME,
    lastAt: TIME,
    recent: {
      type: 'array',
      description: `The last requests, newest first; at most ${MOST_RECENT}`,
      items: REFUSED_REQUEST,
      maxItems: MOST_RECENT,
    },
  },
  required: ['reason', 'clientId', 'known', 'company', 'source', 'count', 'firstAt', 'lastAt', 'recent'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The last uses and the refusals of an account. */
export const ACTIVITY = {
  title: 'Activity',
  type: 'object',
  properties: {
    uses: {
      type: 'array',
      description: 'The last use of each credential, latest use first',
      items: {
        title: 'LastUse',
        type: 'object',
        properties: {
          credentialId: { type: 'string' },
          lastUsedAt: TIME,
          lastUsedFrom: { type: 'string', description: 'The source address of the last use', examples: ['192.0.2.7'] },
        },
        required: ['credentialId', 'lastUsedAt', 'lastUsedFrom'],
        additionalProperties: false,
      },
    },
    refusals: { type: 'array', description: 'Latest first', items: REFUSALS },
  },
  required: ['uses', 'refusals'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Shows a row of refusals. @param requestId leaves out the recent requests that have another id */
export function presentRefusals(refusals: RecordedRefusals, requestId?: string): FromSchema<typeof REFUSALS> {
  const { reason, clientId = null, known, company = null, source = null, count, firstAt, lastAt, recent } = refusals;
  return {
    reason,
    clientId,
    known,
    company,
    source,
    count,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    recent: recent
      .filter((request) => requestId === undefined || request.requestId === requestId)
      .map((request) => ({
        requestId: request.requestId,
        occurredAt: request.occurredAt.toISOString(),
        endpoint: request.endpoint,
        source: request.source,
        credentialId: request.credentialId ?? null,
        status: request.told?.status ?? null,
        error: request.told?.error ?? null,
        errorDescription: request.told?.description ?? null,
        detail: request.detail ?? null,
      })),
  };
}

export function presentActivity(
  uses: readonly LastUse[],
  refusals: readonly RecordedRefusals[],
): FromSchema<typeof ACTIVITY> {
  return {
    uses: uses
      .toSorted((one, other) => other.usedAt.getTime() - one.usedAt.getTime())
      .map(({ credentialId, usedAt, source }) => ({
        credentialId,
        lastUsedAt: usedAt.toISOString(),
        lastUsedFrom: source,
      })),
    refusals: refusals.map((row) => presentRefusals(row)),
  };
}
