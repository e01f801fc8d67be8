import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { STATES } from '../../domain/state.ts';
import {
  CREATED_BY,
  DESCRIPTION,
  DURATION,
  DURATION_OR_NULL,
  NAME,
  SENDER_CONSTRAINT,
  SLUG,
  TIME,
} from '../common-schema.ts';
import { ISSUED_CREDENTIAL, EXAMPLE_KEY, NEW_CREDENTIAL, SECRET } from '../credentials/credential-schema.ts';
import { GRANTED_GROUPS, GRANTED_PERMISSIONS, GRANTED_ROLES } from '../grants-schema.ts';
import { COMPANY_ROLE, MIA_ACCOUNT_MEMBERS, MIA_REGISTRATION_MEMBERS, PROJECTS_ROLE } from '../mia/mia-schema.ts';

const STATE = {
  type: 'string',
  enum: STATES,
  description: 'A disabled account gets no token and may not call this API',
} as const;

const TOKEN_TTL = {
  anyOf: DURATION,
  description:
    'The lifetime of tokens: seconds, or an ISO 8601 duration. It can only be shorter than the lifetime that the resource server sets',
  examples: [300, 'PT5M'],
} as const;

const METADATA_VALUES = [
  { type: 'string', format: 'text', maxLength: 1024 },
  { type: 'number' },
  { type: 'boolean' },
] as const;

const METADATA_VALUES_OR_NULL = [
  { ...METADATA_VALUES[0], type: ['string', 'null'] },
  { type: 'number' },
  { type: 'boolean' },
] as const;

/** The names of metadata members; names with a special meaning in JavaScript are excluded. */
const METADATA_NAME = {
  pattern: '^[A-Za-z0-9._/-]{1,64}$',
  not: { enum: ['constructor', 'prototype', '__proto__'] },
} as const;

const METADATA = {
  type: 'object',
  description: 'Data for the owners of the account; at most 4096 bytes of JSON',
  propertyNames: METADATA_NAME,
  additionalProperties: { anyOf: METADATA_VALUES },
  examples: [{ team: 'billing', 'cost-center': 4711 }],
} as const;

const NAMED = { ...NAME, examples: ['Order import'] } as const;

const AUDIENCE = {
  type: 'string',
  pattern: '^[!-~]{1,512}$',
  description:
    'The identifier of the resource server that is the audience of tokens when a request names none; when absent: the resource server of the first permissions',
  examples: ['api://default'],
} as const;

/** The body for registering a service account. */
export const NEW_SERVICE_ACCOUNT = {
  title: 'ServiceAccountInput',
  type: 'object',
  properties: {
    name: NAMED,
    slug: {
      ...SLUG,
      description: 'When absent: made from the name',
      examples: ['order-import'],
    },
    description: DESCRIPTION,
    state: STATE,
    permissions: GRANTED_PERMISSIONS,
    roles: GRANTED_ROLES,
    groups: GRANTED_GROUPS,
    role: COMPANY_ROLE,
    audience: AUDIENCE,
    tokenTtl: TOKEN_TTL,
    senderConstraint: SENDER_CONSTRAINT,
    metadata: METADATA,
    credentials: {
      type: 'array',
      description: 'The credentials to issue; when this and tokenEndpointAuthMethod are absent: one client secret',
      items: NEW_CREDENTIAL,
      maxItems: 110,
    },
    ...MIA_REGISTRATION_MEMBERS,
  },
  required: ['name'],
  additionalProperties: false,
  examples: [
    {
      name: 'Order import',
      slug: 'order-import',
      permissions: ['orders:read', 'deploy.trigger@shop/prod'],
      roles: ['developer', 'maintainer@shop'],
      audience: 'api://default',
      tokenTtl: 'PT5M',
      metadata: { team: 'billing', 'cost-center': 4711 },
      credentials: [{ type: 'client_secret', name: 'production', expiresIn: 'P90D' }],
    },
    { name: 'Stock check', role: 'developer', tokenEndpointAuthMethod: 'private_key_jwt', publicKey: EXAMPLE_KEY },
  ],
} as const satisfies JSONSchema;

/** The body for changing a service account: a JSON merge patch (RFC 7396), in which null deletes a member. */
export const CHANGED_SERVICE_ACCOUNT = {
  title: 'ServiceAccountPatch',
  type: 'object',
  properties: {
    name: NAMED,
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    state: STATE,
    permissions: { ...GRANTED_PERMISSIONS, description: 'All permissions, instead of the present ones' },
    roles: { ...GRANTED_ROLES, description: 'All roles, instead of the present ones' },
    groups: { ...GRANTED_GROUPS, description: 'All groups, instead of the present ones' },
    role: COMPANY_ROLE,
    projectsRole: PROJECTS_ROLE,
    audience: { ...AUDIENCE, type: ['string', 'null'] },
    tokenTtl: { ...TOKEN_TTL, anyOf: DURATION_OR_NULL },
    senderConstraint: SENDER_CONSTRAINT,
    metadata: {
      ...METADATA,
      type: ['object', 'null'],
      additionalProperties: { anyOf: METADATA_VALUES_OR_NULL },
    },
  },
  additionalProperties: false,
  examples: [
    {
      description: 'Imports the orders of the day',
      permissions: ['orders:read', 'orders:write'],
      tokenTtl: 300,
      metadata: { team: 'billing', 'cost-center': null },
    },
    { role: 'developer', projectsRole: [{ projectId: 'shop', role: 'maintainer' }] },
  ],
} as const satisfies JSONSchema;

const ACCOUNT = {
  clientId: { type: 'string', examples: ['sa_5V0kPEq8mDgXc2nB7TzWfY'] },
  slug: { type: 'string', examples: ['order-import'] },
  name: { type: 'string', examples: ['Order import'] },
  description: { type: ['string', 'null'] },
  company: { type: ['string', 'null'], description: 'null: a root account' },
  state: STATE,
  roles: { ...GRANTED_ROLES, description: 'In alphabetical order' },
  permissions: { ...GRANTED_PERMISSIONS, description: 'In alphabetical order, each as it was written' },
  groups: { ...GRANTED_GROUPS, description: 'In alphabetical order' },
  audience: { type: 'string', examples: ['api://default'] },
  tokenTtl: { type: ['integer', 'null'], description: 'Seconds' },
  senderConstraint: SENDER_CONSTRAINT,
  metadata: METADATA,
  credentialCount: { type: 'integer' },
  nextExpiryAt: {
    ...TIME,
    type: ['string', 'null'],
    description: 'The earliest expiry of its enabled credentials that have not expired; null: none of them expires',
  },
  createdAt: TIME,
  createdBy: { ...CREATED_BY, type: ['string', 'null'] },
  updatedAt: TIME,
  lastUsedAt: {
    ...TIME,
    type: ['string', 'null'],
    description: 'The time of the last use, accurate to a few seconds; null: never used',
  },
  ...MIA_ACCOUNT_MEMBERS,
} as const;

const ACCOUNT_MEMBERS = [
  'clientId',
  'slug',
  'name',
  'description',
  'company',
  'state',
  'roles',
  'permissions',
  'groups',
  'audience',
  'tokenTtl',
  'senderConstraint',
  'metadata',
  'credentialCount',
  'nextExpiryAt',
  'createdAt',
  'createdBy',
  'updatedAt',
  'lastUsedAt',
  'lastLogin',
  'authMethod',
  'companyRoles',
] as const;

/** A service account in an answer. */
export const SERVICE_ACCOUNT = {
  title: 'ServiceAccount',
  type: 'object',
  properties: ACCOUNT,
  required: ACCOUNT_MEMBERS,
  additionalProperties: false,
} as const satisfies JSONSchema;

/** A new service account in an answer, with its secrets. */
export const REGISTERED_SERVICE_ACCOUNT = {
  title: 'RegisteredServiceAccount',
  type: 'object',
  properties: {
    ...ACCOUNT,
    credentials: {
      type: 'array',
      items: ISSUED_CREDENTIAL,
    },
    clientSecret: { ...SECRET, description: 'The first client secret; it is shown in this answer only' },
    apiKey: { type: 'string', description: 'The first API key; it is shown in this answer only' },
    clientIdIssuedAt: { type: 'integer', description: 'Unix seconds' },
    clientSecretExpiresAt: { type: 'integer', description: 'Unix seconds; 0: never' },
  },
  required: [...ACCOUNT_MEMBERS, 'credentials', 'clientIdIssuedAt'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type ChangedServiceAccountBody = FromSchema<typeof CHANGED_SERVICE_ACCOUNT>;
export type NewServiceAccountBody = FromSchema<typeof NEW_SERVICE_ACCOUNT>;
export type ServiceAccountBody = FromSchema<typeof SERVICE_ACCOUNT>;
export type RegisteredServiceAccountBody = FromSchema<typeof REGISTERED_SERVICE_ACCOUNT>;
