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
    accepted: { type: 'boolean', description: 'Whether it would have authenticated the account' },
    credentialId: { type: ['string', 'null'], description: 'The key that it claims to be signed with' },
    checks: {
      type: 'array',
      description: 'Every check, in the order in which a token request makes them and ends at the first that fails',
      items: {
        title: 'AssertionCheck',
        type: 'object',
        properties: {
          check: { type: 'string', enum: DIAGNOSIS_CHECKS },
          outcome: {
            type: 'string',
            enum: OUTCOMES,
            description: 'skipped: another check that failed leaves nothing to make it with',
          },
          message: {
            type: ['string', 'null'],
            description: 'Why it failed and by how much, or what is to be known of its success',
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

/** What is wrong with an assertion of an account, all of it. */
export function diagnoseAssertion({ path, tag, operationId, one }: Collection, diagnose: DiagnoseAssertion): Route {
  return defineRoute<FromSchema<typeof ASSERTION>>({
    method: 'POST',
    path: `${path}/{clientId}/diagnose-assertion`,
    operationId: operationId('diagnose', 'Assertion'),
    summary: `Make every check of an assertion of a ${one}; when its signature is good, it is used up`,
    tag,
    // Who has the assertion could just as well use it up at the token endpoint.
    permission: 'writ.activity.view',
    body: ASSERTION,
    replies: { 200: { description: 'Every check', schema: DIAGNOSIS } },
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
