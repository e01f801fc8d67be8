import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TOKEN_TYPES } from '../../domain/resource-servers/resource-server.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { CREATED_BY, DESCRIPTION, DURATION_OR_NULL, NAME, SENDER_CONSTRAINT, TIME } from '../common-schema.ts';

const NAMED = { ...NAME, examples: ['Orders'] } as const;

const PERMISSIONS = {
  type: 'array',
  description: 'The declared permissions, in their order',
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
  description: 'The lifetime of tokens for it: seconds, or an ISO 8601 duration; null: the setting of the server holds',
  examples: [300, 'PT5M'],
} as const;

const SIGNING_ALG = {
  type: ['string', 'null'],
  enum: [...SIGNING_ALGS, null],
  description: 'The algorithm that signs tokens for it; null: the setting of the server holds',
} as const;

const TOKEN_TYPE = {
  type: 'string',
  enum: TOKEN_TYPES,
  description: 'The typ of tokens for it; JWT is for software that refuses at+jwt',
} as const;

const INTROSPECTED_BY = {
  type: 'array',
  description: 'The ids of the accounts that may introspect tokens for it at POST /oauth/introspect',
  items: { type: 'string', minLength: 1, maxLength: 64 },
  maxItems: 100,
  uniqueItems: true,
} as const;

/** The body for creating a resource server. */
export const NEW_RESOURCE_SERVER = {
  title: 'ResourceServerInput',
  type: 'object',
  properties: {
    identifier: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description:
        'An absolute URI, the aud of tokens for it; the identifiers of a company begin with api://{companyId}/',
      examples: ['https://orders.example.com', 'api://acme/orders'],
    },
    name: NAMED,
    permissions: PERMISSIONS,
    tokenTtl: TOKEN_TTL,
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    senderConstraint: SENDER_CONSTRAINT,
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

/** The body for changing a resource server: a JSON merge patch (RFC 7396). */
export const CHANGED_RESOURCE_SERVER = {
  title: 'ResourceServerPatch',
  type: 'object',
  properties: {
    name: NAMED,
    permissions: { ...PERMISSIONS, description: 'All declared permissions, instead of the present ones' },
    tokenTtl: TOKEN_TTL,
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    senderConstraint: SENDER_CONSTRAINT,
    introspectedBy: INTROSPECTED_BY,
  },
  additionalProperties: false,
  examples: [{ name: 'Orders', tokenTtl: 'PT10M', tokenType: 'JWT' }],
} as const satisfies JSONSchema;

/** A resource server in an answer. */
export const RESOURCE_SERVER = {
  title: 'ResourceServer',
  type: 'object',
  properties: {
    resourceServerId: { type: 'string', examples: ['rs_5V0kPEq8mDgXc2nB7TzWfY'] },
    identifier: { type: 'string', examples: ['https://orders.example.com'] },
    name: { type: 'string', examples: ['Orders'] },
    company: { type: ['string', 'null'], description: "null: root's or built in, and visible to every company" },
    permissions: PERMISSIONS,
    tokenTtl: { type: ['integer', 'null'], description: 'Seconds; null: the setting of the server holds' },
    signingAlg: SIGNING_ALG,
    tokenType: TOKEN_TYPE,
    senderConstraint: SENDER_CONSTRAINT,
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
    'senderConstraint',
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
