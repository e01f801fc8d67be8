import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { NAME_PATTERN } from '../../domain/service-accounts/service-account.ts';
import { SLUG_PATTERN } from '../../domain/service-accounts/slug.ts';

const TIME = { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC' } as const;

const PUBLIC_KEY = {
  type: ['string', 'object'],
  maxLength: 16_384,
  description: 'A JWK, or PEM (SPKI or PKCS #1)',
  examples: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
} as const;

/** A credential that can be asked for; what it needs depends on its type. */
const NEW_CREDENTIAL = {
  title: 'NewCredential',
  type: 'object',
  properties: {
    type: { enum: ['client_secret', 'public_key'] },
    publicKey: PUBLIC_KEY,
    assertionAudiences: {
      type: 'array',
      description: 'Values of aud that assertions with this key may have beside the issuer',
      items: { type: 'string', minLength: 1, maxLength: 512 },
      maxItems: 10,
    },
    assertionMaxTtl: {
      type: 'integer',
      description: 'Longest lifetime of assertions with this key, in seconds',
      minimum: 1,
      maximum: 86_400,
    },
  },
  required: ['type'],
  additionalProperties: false,
} as const satisfies JSONSchema;

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
    credentials: {
      type: 'array',
      description: 'Exactly these are made; a client secret when neither this nor tokenEndpointAuthMethod is given',
      items: NEW_CREDENTIAL,
      maxItems: 110,
    },
    tokenEndpointAuthMethod: { enum: ['client_secret_basic', 'private_key_jwt'] },
    publicKey: { ...PUBLIC_KEY, description: 'Goes with tokenEndpointAuthMethod private_key_jwt' },
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
          type: { enum: ['client_secret', 'public_key'] },
          hint: { type: 'string', description: 'The first characters of the secret' },
          kid: { type: 'string' },
          createdAt: TIME,
          clientSecret: SECRET,
        },
        required: ['credentialId', 'type', 'createdAt'],
        additionalProperties: false,
      },
    },
    clientSecret: SECRET,
    clientIdIssuedAt: { type: 'integer', description: 'Unix seconds' },
    clientSecretExpiresAt: { type: 'integer', description: 'Unix seconds; 0 is never' },
  },
  required: [...ACCOUNT_MEMBERS, 'credentials', 'clientIdIssuedAt'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewServiceAccountBody = FromSchema<typeof NEW_SERVICE_ACCOUNT>;
export type IssuedCredentialBody = RegisteredServiceAccountBody['credentials'][number];
export type ServiceAccountBody = FromSchema<typeof SERVICE_ACCOUNT>;
export type RegisteredServiceAccountBody = FromSchema<typeof REGISTERED_SERVICE_ACCOUNT>;
