import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { GREATEST_TOKEN_AGE, ISSUER_ALGS, MOST_KEYS, REPLAY_RULES } from '../../domain/federation/trusted-issuer.ts';
import { STATES } from '../../domain/state.ts';
import { CREATED_BY, NAME, TIME } from '../common-schema.ts';

const NAMED = { ...NAME, examples: ['GitHub Actions'] } as const;

const ADDRESS = { type: 'string', minLength: 1, maxLength: 512 } as const;

const AUDIENCE = {
  type: ['string', 'null'],
  pattern: '^[!-~]{1,512}$',
  description:
    'The aud of its tokens, unless a federated credential names another; null: the issuer of this server, or the id of the account',
} as const;

const JWKS_URI = {
  ...ADDRESS,
  type: ['string', 'null'],
  description: 'The https address of its keys; null: found by discovery, unless the keys are given in jwks',
  examples: ['https://ci.example.com/keys'],
} as const;

const JWKS = {
  type: ['object', 'null'],
  description: 'Its public keys, for an issuer that this server cannot reach',
  properties: {
    keys: { type: 'array', items: { type: 'object' }, minItems: 1, maxItems: MOST_KEYS },
  },
  required: ['keys'],
  additionalProperties: false,
} as const;

const ALGORITHMS = {
  type: 'array',
  description: 'The algorithms of its tokens; when absent: RS256 and ES256',
  items: { type: 'string', enum: ISSUER_ALGS },
  minItems: 1,
  maxItems: ISSUER_ALGS.length,
  uniqueItems: true,
  examples: [['RS256']],
} as const;

const MAX_TOKEN_AGE = {
  anyOf: [
    { type: 'integer', minimum: 1, maximum: GREATEST_TOKEN_AGE },
    { type: 'string', maxLength: 32 },
  ],
  description: 'The greatest age of a token by its iat: seconds, or an ISO 8601 duration; when absent: 3600',
  examples: [3600, 'PT1H'],
} as const;

const REPLAY = {
  type: 'string',
  enum: REPLAY_RULES,
  description: 'Whether a token may be sent more than once; once: each token needs a jti. When absent: reusable',
} as const;

const STATE = {
  type: 'string',
  enum: STATES,
  description: 'While it is disabled, its tokens authenticate nobody',
} as const;

/** The members that a body may have at the creation and at a change. */
const CHANGEABLE = {
  name: NAMED,
  audience: AUDIENCE,
  jwksUri: JWKS_URI,
  jwks: JWKS,
  algorithms: ALGORITHMS,
  maxTokenAge: MAX_TOKEN_AGE,
  replay: REPLAY,
  state: STATE,
} as const;

/** The body for trusting an issuer. */
export const NEW_TRUSTED_ISSUER = {
  title: 'TrustedIssuerInput',
  type: 'object',
  properties: {
    issuer: {
      ...ADDRESS,
      description: 'The iss of its tokens, to the letter: an https URL',
      examples: ['https://token.actions.githubusercontent.com'],
    },
    ...CHANGEABLE,
  },
  required: ['issuer', 'name'],
  additionalProperties: false,
  examples: [{ issuer: 'https://token.actions.githubusercontent.com', name: 'GitHub Actions', algorithms: ['RS256'] }],
} as const satisfies JSONSchema;

/** The body for changing a trusted issuer: a JSON merge patch (RFC 7396). */
export const CHANGED_TRUSTED_ISSUER = {
  title: 'TrustedIssuerPatch',
  type: 'object',
  properties: CHANGEABLE,
  additionalProperties: false,
  examples: [{ name: 'GitHub', state: 'disabled' }],
} as const satisfies JSONSchema;

/** A trusted issuer in an answer. */
export const TRUSTED_ISSUER = {
  title: 'TrustedIssuer',
  type: 'object',
  properties: {
    trustedIssuerId: { type: 'string', examples: ['iss_5V0kPEq8mDgXc2nB7TzWfY'] },
    issuer: ADDRESS,
    name: NAMED,
    company: { type: ['string', 'null'], description: "null: root's, and trusted for the accounts of every company" },
    audience: AUDIENCE,
    jwksUri: JWKS_URI,
    jwks: JWKS,
    algorithms: ALGORITHMS,
    maxTokenAge: { type: 'integer', description: 'Seconds' },
    replay: REPLAY,
    state: STATE,
    createdAt: TIME,
    createdBy: { ...CREATED_BY, type: ['string', 'null'] },
    updatedAt: TIME,
  },
  required: [
    'trustedIssuerId',
    'issuer',
    'name',
    'company',
    'audience',
    'jwksUri',
    'jwks',
    'algorithms',
    'maxTokenAge',
    'replay',
    'state',
    'createdAt',
    'createdBy',
    'updatedAt',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewTrustedIssuerBody = FromSchema<typeof NEW_TRUSTED_ISSUER>;
export type ChangedTrustedIssuerBody = FromSchema<typeof CHANGED_TRUSTED_ISSUER>;
export type TrustedIssuerBody = FromSchema<typeof TRUSTED_ISSUER>;
