import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { STATES } from '../../domain/state.ts';
import { COMPANY_ROLE, GRANTED_GROUPS, GRANTED_PERMISSIONS, GRANTED_ROLES, PROJECTS_ROLE } from '../grants-schema.ts';
import {
  ISSUED_CREDENTIAL,
  EXAMPLE_KEY,
  NEW_CREDENTIAL,
  PUBLIC_KEY,
  SECRET,
} from '../credentials/credential-schema.ts';
import { CREATED_BY, DESCRIPTION, DURATION, DURATION_OR_NULL, NAME, SLUG, TIME } from '../common-schema.ts';

const STATE = {
  type: 'string',
  enum: STATES,
  description: 'A disabled account gets no token and may not call this API',
} as const;

const TOKEN_TTL = {
  anyOf: DURATION,
  description: 'Seconds, or an ISO 8601 duration; it can only shorten what the resource server says',
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

/** Names of members of the metadata: none that JavaScript gives a meaning. */
const METADATA_NAME = {
  pattern: '^[A-Za-z0-9._/-]{1,64}$',
  not: { enum: ['constructor', 'prototype', '__proto__'] },
} as const;

const METADATA = {
  type: 'object',
  description: 'Whatever its owners want to remember about it; at most 4096 bytes of JSON',
  propertyNames: METADATA_NAME,
  additionalProperties: { anyOf: METADATA_VALUES },
  examples: [{ team: 'billing', 'cost-center': 4711 }],
} as const;

const NAMED = { ...NAME, examples: ['Order import'] } as const;

const AUDIENCE = {
  type: 'string',
  pattern: '^[!-~]{1,512}$',
  description:
    'Identifier of the resource server that tokens are for unless they ask for another; that of the first permission when absent',
  examples: ['api://default'],
} as const;

/** What can be sent to register a service account. */
export const NEW_SERVICE_ACCOUNT = {
  title: 'ServiceAccountInput',
  type: 'object',
  properties: {
    name: NAMED,
    slug: {
      ...SLUG,
      description: 'Made from the name when absent',
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
    metadata: METADATA,
    credentials: {
      type: 'array',
      description: 'Exactly these are made; a client secret when neither this nor tokenEndpointAuthMethod is given',
      items: NEW_CREDENTIAL,
      maxItems: 110,
    },
    tokenEndpointAuthMethod: { type: 'string', enum: ['client_secret_basic', 'private_key_jwt'] },
    publicKey: { ...PUBLIC_KEY, description: 'Goes with tokenEndpointAuthMethod private_key_jwt' },
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

/** What can be sent to change one: a JSON merge patch (RFC 7396), where null takes a member away. */
export const CHANGED_SERVICE_ACCOUNT = {
  title: 'ServiceAccountPatch',
  type: 'object',
  properties: {
    name: NAMED,
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    state: STATE,
    permissions: { ...GRANTED_PERMISSIONS, description: 'All of them, instead of those that it has' },
    roles: { ...GRANTED_ROLES, description: 'All of them, instead of those that it has' },
    groups: { ...GRANTED_GROUPS, description: 'All of them, instead of those that it is in' },
    role: COMPANY_ROLE,
    projectsRole: PROJECTS_ROLE,
    audience: { ...AUDIENCE, type: ['string', 'null'] },
    tokenTtl: { ...TOKEN_TTL, anyOf: DURATION_OR_NULL },
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
  roles: { ...GRANTED_ROLES, description: 'A set, in alphabetical order' },
  permissions: { ...GRANTED_PERMISSIONS, description: 'A set, in alphabetical order, each as it was written' },
  groups: { ...GRANTED_GROUPS, description: 'A set, in alphabetical order' },
  audience: { type: 'string', examples: ['api://default'] },
  tokenTtl: { type: ['integer', 'null'], description: 'Seconds' },
  metadata: METADATA,
  credentialCount: { type: 'integer' },
  nextExpiryAt: {
    ...TIME,
    type: ['string', 'null'],
    description: 'When the first of its enabled credentials expires, of those that have not yet; null: none does',
  },
  createdAt: TIME,
  createdBy: { ...CREATED_BY, type: ['string', 'null'] },
  updatedAt: TIME,
  lastUsedAt: { ...TIME, type: ['string', 'null'], description: 'When it got a token last, to a few seconds' },
  lastLogin: { ...TIME, type: ['string', 'null'], description: "The same, as Mia's clients read it" },
  authMethod: {
    type: ['string', 'null'],
    enum: ['client_secret_basic', 'private_key_jwt', null],
    description: 'How it can authenticate; null: in no way',
  },
  companyRoles: { type: 'array', items: { type: 'string' }, description: 'The roles that it has at no place' },
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

/** A service account as it is answered. */
export const SERVICE_ACCOUNT = {
  title: 'ServiceAccount',
  type: 'object',
  properties: ACCOUNT,
  required: ACCOUNT_MEMBERS,
  additionalProperties: false,
} as const satisfies JSONSchema;

/** A service account just registered, with the secret that is shown this once. */
export const REGISTERED_SERVICE_ACCOUNT = {
  title: 'RegisteredServiceAccount',
  type: 'object',
  properties: {
    ...ACCOUNT,
    credentials: {
      type: 'array',
      items: ISSUED_CREDENTIAL,
    },
    clientSecret: { ...SECRET, description: 'The first client secret, shown this once and never again' },
    apiKey: { type: 'string', description: 'The first API key, shown this once and never again' },
    clientIdIssuedAt: { type: 'integer', description: 'Unix seconds' },
    clientSecretExpiresAt: { type: 'integer', description: 'Unix seconds; 0 is never' },
  },
  required: [...ACCOUNT_MEMBERS, 'credentials', 'clientIdIssuedAt'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type ChangedServiceAccountBody = FromSchema<typeof CHANGED_SERVICE_ACCOUNT>;
export type NewServiceAccountBody = FromSchema<typeof NEW_SERVICE_ACCOUNT>;
export type ServiceAccountBody = FromSchema<typeof SERVICE_ACCOUNT>;
export type RegisteredServiceAccountBody = FromSchema<typeof REGISTERED_SERVICE_ACCOUNT>;
