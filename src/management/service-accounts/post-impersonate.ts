import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { type Impersonate, IMPERSONATION_MAX_TTL } from '../../domain/tokens/impersonate.ts';
import type { Collection } from '../collection.ts';
import { DURATION } from '../common-schema.ts';
import { seconds } from '../duration.ts';
import { defineRoute, type Route } from '../route.ts';

const IMPERSONATION = {
  title: 'ImpersonationInput',
  type: 'object',
  properties: {
    reason: {
      type: 'string',
      format: 'name',
      minLength: 1,
      maxLength: 512,
      description: 'Why the token is needed; the audit keeps it',
      examples: ['Ticket 4711: orders are missing'],
    },
    resource: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description: 'The identifier of a resource server, as in a token request',
    },
    scope: { type: 'string', maxLength: 8192, description: 'The scope, as in a token request' },
    expiresIn: {
      anyOf: DURATION,
      description: `The longest lifetime of the token: seconds or an ISO 8601 duration, at most ${IMPERSONATION_MAX_TTL} s. Absent: as long as possible`,
    },
  },
  required: ['reason'],
  additionalProperties: false,
  examples: [{ reason: 'Ticket 4711: orders are missing', scope: 'orders:read', expiresIn: 300 }],
} as const satisfies JSONSchema;

const TOKEN_RESPONSE = {
  title: 'TokenResponse',
  type: 'object',
  description: 'A token response (RFC 6749 §5.1)',
  properties: {
    access_token: { type: 'string' },
    token_type: { type: 'string', enum: ['Bearer', 'DPoP'], description: 'As the token of the caller' },
    expires_in: { type: 'integer', description: 'Seconds' },
    scope: { type: 'string', description: 'Absent: the account holds nothing there' },
  },
  required: ['access_token', 'token_type', 'expires_in'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operation that gets a token as an account: the token shows exactly what the account may do. */
export function impersonateServiceAccount(
  { path, tag, operationId, one }: Collection,
  impersonate: Impersonate,
): Route {
  return defineRoute<FromSchema<typeof IMPERSONATION>>({
    method: 'POST',
    path: `${path}/{clientId}/impersonate`,
    operationId: operationId('impersonate'),
    summary: `Get a token as a ${one} that may do no more than the caller may grant; the audit names both accounts and the reason`,
    tag,
    permission: 'writ.serviceaccounts.impersonate',
    body: IMPERSONATION,
    replies: { 200: { description: 'The token, whose act claim names the caller', schema: TOKEN_RESPONSE } },
    async handle({ caller, company, body, param }) {
      const { reason, resource, scope: asked, expiresIn: wanted = IMPERSONATION_MAX_TTL } = body;
      const { accessToken, tokenType, expiresIn, scope } = await impersonate(caller, company, param('clientId'), {
        reason,
        resource,
        scope: asked,
        expiresIn: seconds(wanted, '/expiresIn', { most: IMPERSONATION_MAX_TTL }),
      });
      const shown: FromSchema<typeof TOKEN_RESPONSE> = {
        access_token: accessToken,
        token_type: tokenType,
        expires_in: expiresIn,
        ...(scope !== '' && { scope }),
      };
      return { status: 200, body: shown };
    },
  });
}
