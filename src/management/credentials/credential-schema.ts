import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CREDENTIAL_STATES } from '../../domain/credentials/credential-base.ts';
import { CREDENTIAL_TYPES } from '../../domain/credentials/credential.ts';
import type { AnsweredMembers, KindChanges, TakenMembers } from '../../domain/credentials/kinds/kind.ts';
import { CERTIFICATE, CERTIFICATE_MEMBERS } from './certificate-schema.ts';
import { PRESET } from './preset-schema.ts';
import { DESCRIPTION, DURATION, DURATION_OR_NULL, NAME, TIME } from '../common-schema.ts';

const NAMED = {
  ...NAME,
  description: 'Unique among the credentials of the account that are not ending',
  examples: ['production'],
} as const;

const EXPIRES_IN = {
  anyOf: DURATION_OR_NULL,
  description:
    'The time for which the credential works from now on: seconds, or an ISO 8601 duration; null: as long as the policy allows',
  examples: [7_776_000, 'P90D'],
} as const;

const PERMISSIONS = {
  type: ['array', 'null'],
  description: 'The permissions of the account that the credential may ask for; null: all of them',
  items: { type: 'string', minLength: 1, maxLength: 700 },
  maxItems: 1000,
  examples: [['orders:read']],
} as const;

const EXTEND = {
  type: 'boolean',
  description:
    'Whether each use restarts the lifetime: the credential expires when it has not been used for its whole lifetime',
} as const;

const ASSERTION_AUDIENCES = {
  type: 'array',
  description: 'Values of aud that assertions with this key may have, besides the issuer',
  items: { type: 'string', pattern: '^[!-~]{1,512}$' },
  maxItems: 10,
} as const;

const ASSERTION_MAX_TTL = {
  type: 'integer',
  description: 'The longest lifetime of assertions with this key, in seconds',
  minimum: 1,
  maximum: 86_400,
} as const;

const AUDIENCE = {
  type: 'string',
  pattern: '^[!-~]{1,512}$',
  description:
    'For an api_key: the identifier of the only resource server at which the key works. For a federated credential: the only aud that a token may have; when absent, the audience of the trusted issuer, or the issuer of this server or the id of the account',
} as const;

const ISSUER = {
  type: 'string',
  minLength: 1,
  maxLength: 512,
  description: 'For a federated credential: the iss of the tokens; it must be a trusted issuer',
} as const;

const SUBJECT = {
  type: 'string',
  maxLength: 1024,
  description: 'For a federated credential: the sub that a token must have',
} as const;

const CLAIMS = {
  type: 'object',
  description:
    'For a federated credential: the claims that a token must all have, by their names, or by a JSON pointer (RFC 6901) to a member inside a claim. A value must have the same type and be equal',
  additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] },
  maxProperties: 50,
} as const;

const MATCH = {
  type: 'string',
  enum: ['exact', 'glob'],
  description:
    'For a federated credential: glob reads * in the subject and in claims as any characters of one segment, which end at / and :, and ** as any characters but a colon. When absent: exact',
} as const;

export const EXAMPLE_KEY = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;

export const PUBLIC_KEY = {
  anyOf: [{ type: 'string', maxLength: 16_384 }, { type: 'object' }],
  description: 'A JWK, or PEM (SPKI or PKCS #1)',
} as const;

/** The members of a request for a new credential that only some kinds take. */
const TAKEN = {
  audience: AUDIENCE,
  issuer: ISSUER,
  subject: SUBJECT,
  claims: CLAIMS,
  match: MATCH,
  publicKey: PUBLIC_KEY,
  assertionAudiences: ASSERTION_AUDIENCES,
  assertionMaxTtl: ASSERTION_MAX_TTL,
  ...CERTIFICATE_MEMBERS,
} as const satisfies Record<keyof TakenMembers, JSONSchema>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant are of its type
export const TAKEN_MEMBERS = Object.keys(TAKEN) as (keyof typeof TAKEN)[];

/** The members of a change that only some kinds take. */
const CHANGED = {
  assertionAudiences: ASSERTION_AUDIENCES,
  assertionMaxTtl: { ...ASSERTION_MAX_TTL, type: ['integer', 'null'] },
} as const satisfies Record<keyof KindChanges, JSONSchema>;

/** The body for issuing a credential. The required members depend on the type. */
export const NEW_CREDENTIAL = {
  title: 'CredentialInput',
  type: 'object',
  properties: {
    type: { type: 'string', enum: CREDENTIAL_TYPES },
    ...TAKEN,
    ...PRESET,
    name: NAMED,
    description: DESCRIPTION,
    expiresIn: EXPIRES_IN,
    extend: EXTEND,
    permissions: PERMISSIONS,
  },
  required: ['type'],
  additionalProperties: false,
  examples: [
    { type: 'client_secret', name: 'production', expiresIn: 'P90D', permissions: ['orders:read'] },
    { type: 'public_key', name: 'pipeline', publicKey: EXAMPLE_KEY, assertionMaxTtl: 60 },
    { type: 'api_key', name: 'dashboard', audience: 'api://default', expiresIn: 7_776_000 },
  ],
} as const satisfies JSONSchema;

/** The body for changing a credential: a JSON merge patch (RFC 7396). */
export const CHANGED_CREDENTIAL = {
  title: 'CredentialPatch',
  type: 'object',
  properties: {
    name: { ...NAMED, type: ['string', 'null'] },
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    state: { type: 'string', enum: ['enabled', 'disabled'] },
    expiresIn: EXPIRES_IN,
    extend: EXTEND,
    permissions: PERMISSIONS,
    ...CHANGED,
  },
  additionalProperties: false,
  examples: [{ name: 'production', state: 'enabled', expiresIn: 'P90D', permissions: ['orders:read'] }],
} as const satisfies JSONSchema;

/** The body for rotating a credential. */
export const ROTATION = {
  title: 'RotationInput',
  type: 'object',
  properties: {
    overlap: {
      anyOf: [{ ...DURATION[0], minimum: 0 }, DURATION[1]],
      description:
        'The time for which the old credential keeps working, unless it is disabled: seconds, or an ISO 8601 duration; when absent: a day',
      examples: [86_400, 'P1D'],
    },
    publicKey: { ...PUBLIC_KEY, description: 'For a public key: the new key, as a JWK or PEM (SPKI or PKCS #1)' },
    certificate: { ...CERTIFICATE, description: 'For a certificate that is pinned: the new certificate, in PEM' },
  },
  additionalProperties: false,
  examples: [{ overlap: 'P1D' }],
} as const satisfies JSONSchema;

/** The members of a credential in an answer; the secret is not among them. */
const SHOWN = {
  credentialId: { type: 'string', examples: ['cred_5V0kPEq8mDgXc2nB7TzWfY'] },
  type: { type: 'string', enum: CREDENTIAL_TYPES },
  name: { type: ['string', 'null'] },
  description: { type: ['string', 'null'] },
  state: {
    type: 'string',
    enum: CREDENTIAL_STATES,
    description: 'ending: the credential has a successor and works until it expires',
  },
  createdAt: TIME,
  expiresAt: { ...TIME, type: ['string', 'null'], description: 'RFC 3339, in UTC; null: the credential never expires' },
  extend: EXTEND,
  lastUsedAt: {
    ...TIME,
    type: ['string', 'null'],
    description: 'The time of the last use, accurate to a few seconds; null: never used',
  },
  lastUsedFrom: { type: ['string', 'null'], description: 'The source address of the last use' },
  permissions: PERMISSIONS,
  successor: { type: ['string', 'null'], description: 'The id of the credential that replaces this one' },
  hint: { type: ['string', 'null'], description: 'The first characters of the secret, or the id of the key' },
} as const;

/** The members of an answer that only some kinds have. */
const KIND_MEMBERS = {
  audience: { ...AUDIENCE, type: ['string', 'null'] },
  issuer: ISSUER,
  subject: { ...SUBJECT, type: ['string', 'null'] },
  claims: CLAIMS,
  match: MATCH,
  kid: { type: 'string' },
  publicKey: { type: 'object', description: 'The key as a JWK' },
  assertionAudiences: ASSERTION_AUDIENCES,
  assertionMaxTtl: { ...ASSERTION_MAX_TTL, type: ['integer', 'null'] },
  ...CERTIFICATE_MEMBERS,
  thumbprint: { type: 'string', description: 'SHA-256 of the certificate, in base64url' },
} as const satisfies Record<Exclude<keyof AnsweredMembers, 'hint'>, JSONSchema>;

const SHOWN_MEMBERS = [
  'credentialId',
  'type',
  'name',
  'description',
  'state',
  'createdAt',
  'expiresAt',
  'extend',
  'lastUsedAt',
  'lastUsedFrom',
  'permissions',
  'successor',
  'hint',
] as const;

export const CREDENTIAL = {
  title: 'Credential',
  type: 'object',
  properties: { ...SHOWN, ...KIND_MEMBERS },
  required: SHOWN_MEMBERS,
  additionalProperties: false,
} as const satisfies JSONSchema;

/** A credential in an answer, with the number of its uses. */
export const COUNTED_CREDENTIAL = {
  title: 'CountedCredential',
  type: 'object',
  properties: {
    ...SHOWN,
    ...KIND_MEMBERS,
    uses: {
      type: 'array',
      description: 'The number of tokens that the credential got on each day, in UTC, newest day first',
      items: {
        type: 'object',
        properties: { day: { type: 'string', examples: ['2026-11-21'] }, count: { type: 'integer' } },
        required: ['day', 'count'],
        additionalProperties: false,
      },
    },
  },
  required: [...SHOWN_MEMBERS, 'uses'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const SECRET = { type: 'string', description: 'The secret; it is shown in this answer only' } as const;

export const API_KEY = {
  type: 'string',
  description: 'For an api_key: the key as clients send it, the same as clientSecret; it is shown in this answer only',
} as const;

const WORKFLOW = {
  type: 'string',
  description: 'For a credential by a preset: YAML or shell to be pasted, which gets a token on the platform',
} as const;

/** A new credential in an answer, with its secret. */
export const ISSUED_CREDENTIAL = {
  title: 'IssuedCredential',
  type: 'object',
  properties: { ...SHOWN, ...KIND_MEMBERS, workflow: WORKFLOW, clientSecret: SECRET, apiKey: API_KEY },
  required: SHOWN_MEMBERS,
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewCredentialBody = FromSchema<typeof NEW_CREDENTIAL>;
export type ChangedCredentialBody = FromSchema<typeof CHANGED_CREDENTIAL>;
export type RotationBody = FromSchema<typeof ROTATION>;
export type CredentialBody = FromSchema<typeof CREDENTIAL>;
export type IssuedCredentialBody = FromSchema<typeof ISSUED_CREDENTIAL>;
