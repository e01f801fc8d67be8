import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TOKEN_TYPES } from '../../domain/resource-servers/resource-server.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { CREATED_BY, DESCRIPTION, DURATION_OR_NULL, NAME, TIME } from '../common-schema.ts';

const NAMED = { ...NAME, examples: ['Orders'] } as const;

const PERMISSIONS = {
  type: 'array',
  description: 'The names that it owns, in their order',
  items: {
    title: 'DeclaredPermission',
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 128, examples: ['orders:read'] },
      description: { ...DESCRIPTION, type: ['string', 'null'] },
    },
    required: ['name'],
    additionalProperties: false,
  },
  maxItems: 1000,
} as const;

const TOKEN_TTL = {
  anyOf: DURATION_OR_NULL,
  description: 'How long tokens for it last: seconds, or an ISO 8601 duration; as the server says when null',
  examples: [300, 'PT5M'],
} as const;

const SIGNING_ALG = {
  type: ['string', 'null'],
  enum: [...SIGNING_ALGS, null],
  description: 'What its tokens are signed with; as the server says when null',
} as const;

const TOKEN_TYPE = {
  type: 'string',
  enum: TOKEN_TYPES,
  description: 'typ of its tokens: JWT for software that refuses at+jwt',
} as const;

const INTROSPECTED_BY = {
  type: 'array',
  description: 'Ids of the accounts that may ask about its tokens at POST /oauth/introspect',
  items: { type: 'string', minLength: 1, maxLength: 64 },
  maxItems: 100,
  uniqueItems: true,
} as const;

/** What can be sent to register a resource server. */
export const NEW_RESOURCE_SERVER = {
  title: 'ResourceServerInput',
  type: 'object',
  properties: {
    identifier: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description: 'An absolute URI, the aud of its tokens; of a company it begins with api://{companyId}/',
      examples: ['https://orders.example.com', 'api://acme/orders'],
    },
    name: NAMED,
    permissions: PERMISSIONS,
    tokenTtl: TOKEN_TTL,
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    introspectedBy: INTROSPECTED_BY,
  },
  required: ['identifier', 'name'],
  additionalProperties: false,
  examples: [
    {
      identifier: 'https://orders.example.com',
      name: 'Orders',
      permissions: [{ name: 'orders:read', description: 'Read orders' }],
      tokenTtl: 'PT5M',
    },
  ],
} as const satisfies JSONSchema;

/** What can be sent to change one: a JSON merge patch (RFC 7396). */
export const CHANGED_RESOURCE_SERVER = {
  title: 'ResourceServerPatch',
  type: 'object',
  properties: {
    name: NAMED,
    permissions: { ...PERMISSIONS, description: 'All of them, instead of those that it declares' },
    tokenTtl: TOKEN_TTL,
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    introspectedBy: INTROSPECTED_BY,
  },
  additionalProperties: false,
  examples: [{ name: 'Orders', tokenTtl: 'PT10M', tokenType: 'JWT' }],
} as const satisfies JSONSchema;

/** A resource server as it is answered. */
export const RESOURCE_SERVER = {
  title: 'ResourceServer',
  type: 'object',
  properties: {
    resourceServerId: { type: 'string', examples: ['rs_5V0kPEq8mDgXc2nB7TzWfY'] },
    identifier: { type: 'string', examples: ['https://orders.example.com'] },
    name: { type: 'string', examples: ['Orders'] },
    company: { type: ['string', 'null'], description: "null: root's, and every company sees it" },
    permissions: PERMISSIONS,
    tokenTtl: { type: ['integer', 'null'], description: 'Seconds; null: as the server says' },
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    introspectedBy: INTROSPECTED_BY,
    createdAt: TIME,
    createdBy: { ...CREATED_BY, type: ['string', 'null'] },
    updatedAt: TIME,
  },
  required: [
    'resourceServerId',
    'identifier',
    'name',
    'company',
    'permissions',
    'tokenTtl',
    'signingAlg',
    'tokenType',
    'introspectedBy',
    'createdAt',
    'createdBy',
    'updatedAt',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewResourceServerBody = FromSchema<typeof NEW_RESOURCE_SERVER>;
export type ChangedResourceServerBody = FromSchema<typeof CHANGED_RESOURCE_SERVER>;
export type ResourceServerBody = FromSchema<typeof RESOURCE_SERVER>;
