import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { NAME_PATTERN } from '../../domain/service-accounts/service-account.ts';
import { SLUG_PATTERN } from '../../domain/service-accounts/slug.ts';

const TIME = { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC' } as const;

/** What can be sent to register a service account. */
export const NEW_SERVICE_ACCOUNT = {
  title: 'NewServiceAccount',
  type: 'object',
  properties: {
    name: { type: 'string', pattern: NAME_PATTERN, maxLength: 128, examples: ['Order import'] },
    slug: {
      type: 'string',
      pattern: SLUG_PATTERN,
      description: 'Made from the name when absent',
      examples: ['order-import'],
    },
    permissions: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 128 },
      maxItems: 1000,
      examples: [['orders:read']],
    },
    audience: {
      type: 'string',
      maxLength: 512,
      description:
        'Identifier of the resource server that tokens are for unless they ask for another; that of the first permission when absent',
      examples: ['api://default'],
    },
    tokenEndpointAuthMethod: { enum: ['client_secret_basic'] },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const ACCOUNT = {
  clientId: { type: 'string', examples: ['sa_5V0kPEq8mDgXc2nB7TzWfY'] },
  slug: { type: 'string' },
  name: { type: 'string' },
  roles: { type: 'array', items: { type: 'string' } },
  permissions: { type: 'array', items: { type: 'string' } },
  audience: { type: 'string' },
  credentialCount: { type: 'integer' },
  createdAt: TIME,
  createdBy: { type: ['string', 'null'] },
  updatedAt: TIME,
} as const;

const ACCOUNT_MEMBERS = [
  'clientId',
  'slug',
  'name',
  'roles',
  'permissions',
  'audience',
  'credentialCount',
  'createdAt',
  'createdBy',
  'updatedAt',
] as const;

/** A service account as it is answered. */
export const SERVICE_ACCOUNT = {
  title: 'ServiceAccount',
  type: 'object',
  properties: ACCOUNT,
  required: ACCOUNT_MEMBERS,
  additionalProperties: false,
} as const satisfies JSONSchema;

const SECRET = { type: 'string', description: 'Shown this once and never again' } as const;

/** A service account just registered, with the secret that is shown this once. */
export const REGISTERED_SERVICE_ACCOUNT = {
  title: 'RegisteredServiceAccount',
  type: 'object',
  properties: {
    ...ACCOUNT,
    credentials: {
      type: 'array',
      items: {
        title: 'IssuedCredential',
        type: 'object',
        properties: {
          credentialId: { type: 'string' },
          type: { enum: ['client_secret'] },
          hint: { type: 'string', description: 'The first characters of the secret' },
          createdAt: TIME,
          clientSecret: SECRET,
        },
        required: ['credentialId', 'type', 'hint', 'createdAt', 'clientSecret'],
        additionalProperties: false,
      },
    },
    clientSecret: SECRET,
    clientIdIssuedAt: { type: 'integer', description: 'Unix seconds' },
    clientSecretExpiresAt: { type: 'integer', description: 'Unix seconds; 0 is never' },
  },
  required: [...ACCOUNT_MEMBERS, 'credentials', 'clientSecret', 'clientIdIssuedAt', 'clientSecretExpiresAt'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewServiceAccountBody = FromSchema<typeof NEW_SERVICE_ACCOUNT>;
export type ServiceAccountBody = FromSchema<typeof SERVICE_ACCOUNT>;
export type RegisteredServiceAccountBody = FromSchema<typeof REGISTERED_SERVICE_ACCOUNT>;
