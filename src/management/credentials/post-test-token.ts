import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TRIAL_CHECKS, type TryExternalToken } from '../../domain/federation/try-external-token.ts';
import { OUTCOMES } from '../../domain/assertions/diagnose-assertion.ts';
import type { Collection } from '../collection.ts';
import { defineRoute, type Route } from '../route.ts';

const TOKEN = {
  title: 'ExternalTokenInput',
  type: 'object',
  properties: {
    token: {
      type: 'string',
      minLength: 1,
      maxLength: 65_536,
      description: 'A token of another issuer, as it would be sent to the token endpoint',
      examples: ['eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUifQ.c2lnbmF0dXJl'],
    },
  },
  required: ['token'],
  additionalProperties: false,
  examples: [{ token: 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUifQ.c2lnbmF0dXJl' }],
} as const satisfies JSONSchema;

const TRIAL = {
  title: 'ExternalTokenTrial',
  type: 'object',
  properties: {
    accepted: { type: 'boolean', description: 'Whether the token would stand for the account by this credential' },
    checks: {
      type: 'array',
      items: {
        title: 'ExternalTokenCheck',
        type: 'object',
        properties: {
          check: { type: 'string', enum: TRIAL_CHECKS },
          outcome: { type: 'string', enum: OUTCOMES },
          message: { type: ['string', 'null'], description: 'Why and by how much the check failed' },
        },
        required: ['check', 'outcome', 'message'],
        additionalProperties: false,
      },
    },
    claims: {
      type: 'array',
      description: 'Each claim of the rule, and the claim of the token',
      items: {
        title: 'ClaimComparison',
        type: 'object',
        properties: {
          claim: { type: 'string' },
          expected: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
          came: { type: 'string', description: 'The claim of the token as JSON; absent: the token has none' },
          fits: { type: 'boolean' },
        },
        required: ['claim', 'expected', 'came', 'fits'],
        additionalProperties: false,
      },
    },
  },
  required: ['accepted', 'checks', 'claims'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operation that tries a token of another issuer against a federated credential of an account. */
export function testExternalToken({ path, tag, operationId, one }: Collection, tryToken: TryExternalToken): Route {
  return defineRoute<FromSchema<typeof TOKEN>>({
    method: 'POST',
    path: `${path}/{clientId}/credentials/{credentialId}/test`,
    operationId: operationId('test', 'ExternalToken'),
    summary: `Try a token of another issuer against a federated credential of a ${one}; the token is not consumed`,
    tag,
    permission: 'writ.activity.view',
    body: TOKEN,
    replies: { 200: { description: 'All checks, and all claims of the rule', schema: TRIAL } },
    async handle({ company, body, param }) {
      const { accepted, checks, claims } = await tryToken(
        company,
        param('clientId'),
        param('credentialId'),
        body.token,
      );
      const shown: FromSchema<typeof TRIAL> = {
        accepted,
        checks: checks.map(({ check, passed, message = null }) => ({
          check,
          outcome: passed === undefined ? 'skipped' : passed ? 'passed' : 'failed',
          message,
        })),
        claims: claims.map(({ claim, expected, came, fits }) => ({
          claim,
          expected,
          came: JSON.stringify(came) ?? 'absent',
          fits,
        })),
      };
      return { status: 200, body: shown };
    },
  });
}
