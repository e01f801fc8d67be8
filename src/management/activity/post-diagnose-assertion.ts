import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { type DiagnoseAssertion, DIAGNOSIS_CHECKS, OUTCOMES } from '../../domain/assertions/diagnose-assertion.ts';
import type { Collection } from '../collection.ts';
import { defineRoute, type Route } from '../route.ts';

const ASSERTION = {
  title: 'AssertionInput',
  type: 'object',
  properties: {
    assertion: {
      type: 'string',
      minLength: 1,
      maxLength: 65_536,
      description: 'A client assertion, as it would be sent to the token endpoint',
      examples: ['eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzYV8xIn0.c2lnbmF0dXJl'],
    },
  },
  required: ['assertion'],
  additionalProperties: false,
  examples: [{ assertion: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzYV8xIn0.c2lnbmF0dXJl' }],
} as const satisfies JSONSchema;

const DIAGNOSIS = {
  title: 'Diagnosis',
  type: 'object',
  properties: {
    accepted: { type: 'boolean', description: 'Whether the assertion would have authenticated the account' },
    credentialId: { type: ['string', 'null'], description: 'The key with which the assertion claims to be signed' },
    checks: {
      type: 'array',
      description: 'All checks, in the order of a token request, which ends at the first failed check',
      items: {
        title: 'AssertionCheck',
        type: 'object',
        properties: {
          check: { type: 'string', enum: DIAGNOSIS_CHECKS },
          outcome: {
            type: 'string',
            enum: OUTCOMES,
            description: 'skipped: the check is not possible, because another check failed',
          },
          message: {
            type: ['string', 'null'],
            description: 'Why and by how much the check failed, or a remark on a passed check',
            examples: ['expired 37 seconds ago by our clock (1795219200)'],
          },
        },
        required: ['check', 'outcome', 'message'],
        additionalProperties: false,
      },
    },
  },
  required: ['accepted', 'credentialId', 'checks'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operation that makes all checks of an assertion of an account, and reports every failure. */
export function diagnoseAssertion({ path, tag, operationId, one }: Collection, diagnose: DiagnoseAssertion): Route {
  return defineRoute<FromSchema<typeof ASSERTION>>({
    method: 'POST',
    path: `${path}/{clientId}/diagnose-assertion`,
    operationId: operationId('diagnose', 'Assertion'),
    summary: `Make all checks of an assertion of a ${one}; an assertion with a good signature is consumed`,
    tag,
    // A permission to read is enough, although this consumes the assertion: the token endpoint would consume it, too.
    permission: 'writ.activity.view',
    body: ASSERTION,
    replies: { 200: { description: 'All checks', schema: DIAGNOSIS } },
    async handle({ caller, company, body, param }) {
      const {
        accepted,
        credentialId = null,
        checks,
      } = await diagnose(caller, company, param('clientId'), body.assertion);
      const shown: FromSchema<typeof DIAGNOSIS> = {
        accepted,
        credentialId,
        checks: checks.map(({ check, outcome, message = null }) => ({ check, outcome, message })),
      };
      return { status: 200, body: shown };
    },
  });
}
