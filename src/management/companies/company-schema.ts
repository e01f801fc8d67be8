import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { type Limit, MOST } from '../../domain/companies/company-limits.ts';
import { STATES } from '../../domain/state.ts';
import { NEW_CREDENTIAL } from '../credentials/credential-schema.ts';
import { REGISTERED_SERVICE_ACCOUNT } from '../service-accounts/service-account-schema.ts';
import { GRANTED_PERMISSION } from '../grants-schema.ts';
import { CREATED_BY, NAME, SLUG, TIME } from '../common-schema.ts';

const NAMED = { ...NAME, examples: ['Acme'] } as const;
const STATE = {
  type: 'string',
  enum: STATES,
  description: 'While a company is disabled, none of its accounts gets a token or may call this API',
} as const;

const MAX_AGE = {
  anyOf: [
    { type: ['integer', 'null'], minimum: 0, maximum: 315_360_000 },
    { type: 'string', maxLength: 32 },
  ],
} as const;

const MAX_AGES = {
  secretMaxAge: {
    ...MAX_AGE,
    description:
      'The maximum age of client secrets and API keys: seconds, or an ISO 8601 duration; 0: they are not allowed; null: only the policy of the server holds. Credentials that outlive a new maximum age are shortened to it, counted from the change',
    examples: [7_776_000, 'P90D'],
  },
  keyMaxAge: {
    ...MAX_AGE,
    description: 'The maximum age of public keys, in the same forms',
    examples: [31_536_000, 'P365D'],
  },
} as const;

function limit(name: Limit): {
  readonly type: readonly ['integer', 'null'];
  readonly minimum: 0;
  readonly maximum: number;
} {
  return { type: ['integer', 'null'], minimum: 0, maximum: MOST[name] };
}

const GRANTABLE = {
  type: 'array',
  description:
    'Permissions and whole resource servers: managers of accounts may grant these permissions in the company, at every place, without holding them. Accounts keep a permission that is removed from this list',
  items: {
    anyOf: [
      ...GRANTED_PERMISSION.anyOf,
      {
        type: 'object',
        properties: { resource: { type: 'string', pattern: '^[!-~]{1,512}$' } },
        required: ['resource'],
        additionalProperties: false,
      },
    ],
  },
  maxItems: 1000,
  examples: [['orders:read', { resource: 'https://orders.example.com' }]],
} as const satisfies JSONSchema;

const LIMITS_SCHEMA = {
  type: 'object',
  description:
    'The most service accounts, working credentials, groups, roles and resource servers of the company, and the most permissions of one account, counting each way to a permission; null: the limit of the server holds. A lower limit deletes nothing',
  properties: {
    serviceAccounts: limit('serviceAccounts'),
    credentials: limit('credentials'),
    groups: limit('groups'),
    roles: limit('roles'),
    resourceServers: limit('resourceServers'),
    permissions: limit('permissions'),
  },
  additionalProperties: false,
  examples: [{ serviceAccounts: 200, credentials: 500 }],
} as const satisfies JSONSchema;

const COUNT = { type: 'integer', description: 'The number that would be deleted' } as const;

const OWNER = {
  type: 'object',
  description:
    'The first account of the company, with the role company-owner. Without credentials it gets a client secret, which is shown once',
  properties: {
    name: { ...NAME, description: 'When absent: Owner' },
    credentials: { type: 'array', items: NEW_CREDENTIAL, maxItems: 110 },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The body for creating a company. */
export const NEW_COMPANY = {
  title: 'CompanyInput',
  type: 'object',
  properties: {
    companyId: {
      ...SLUG,
      description:
        'When absent: made from the name. An id is never given out again, even after its company has been deleted',
      examples: ['acme'],
    },
    name: NAMED,
    state: STATE,
    ...MAX_AGES,
    grantable: GRANTABLE,
    limits: LIMITS_SCHEMA,
    owner: OWNER,
  },
  required: ['name'],
  additionalProperties: false,
  examples: [{ companyId: 'acme', name: 'Acme', secretMaxAge: 'P90D', keyMaxAge: 31_536_000 }],
} as const satisfies JSONSchema;

/** The body for changing a company: a JSON merge patch (RFC 7396). */
export const CHANGED_COMPANY = {
  title: 'CompanyPatch',
  type: 'object',
  properties: { name: NAMED, state: STATE, ...MAX_AGES, grantable: GRANTABLE, limits: LIMITS_SCHEMA },
  additionalProperties: false,
  examples: [{ name: 'Acme', secretMaxAge: 'P90D', keyMaxAge: null }],
} as const satisfies JSONSchema;

/** A company in an answer. */
export const COMPANY = {
  title: 'Company',
  type: 'object',
  properties: {
    companyId: { type: 'string', examples: ['acme'] },
    name: { type: 'string', examples: ['Acme'] },
    state: STATE,
    secretMaxAge: { type: ['integer', 'null'], description: 'Seconds; null: only the policy of the server holds' },
    keyMaxAge: { type: ['integer', 'null'], description: 'Seconds; null: only the policy of the server holds' },
    grantable: GRANTABLE,
    limits: LIMITS_SCHEMA,
    createdAt: TIME,
    createdBy: CREATED_BY,
    updatedAt: TIME,
  },
  required: [
    'companyId',
    'name',
    'state',
    'secretMaxAge',
    'keyMaxAge',
    'grantable',
    'limits',
    'createdAt',
    'createdBy',
    'updatedAt',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The answer to a deletion with `dryRun`. */
export const COMPANY_REMOVAL = {
  title: 'CompanyRemoval',
  type: 'object',
  properties: {
    serviceAccounts: COUNT,
    credentials: COUNT,
    groups: COUNT,
    roles: COUNT,
    resourceServers: COUNT,
    usedInTheLastDay: { type: 'integer', description: 'The number of accounts that were used in the last day' },
    lastUsed: {
      type: 'array',
      description: 'The most recently used of these accounts, at most 100',
      items: {
        type: 'object',
        properties: {
          clientId: { type: 'string' },
          slug: { type: 'string' },
          name: { type: 'string' },
          lastUsedAt: TIME,
        },
        required: ['clientId', 'slug', 'name', 'lastUsedAt'],
        additionalProperties: false,
      },
    },
  },
  required: ['serviceAccounts', 'credentials', 'groups', 'roles', 'resourceServers', 'usedInTheLastDay', 'lastUsed'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** A new company, with its first account if the caller asked for one. */
export const REGISTERED_COMPANY = {
  ...COMPANY,
  title: 'RegisteredCompany',
  properties: { ...COMPANY.properties, owner: REGISTERED_SERVICE_ACCOUNT },
} as const satisfies JSONSchema;

export type CreatedCompanyBody = FromSchema<typeof REGISTERED_COMPANY>;
export type NewCompanyBody = FromSchema<typeof NEW_COMPANY>;
export type ChangedCompanyBody = FromSchema<typeof CHANGED_COMPANY>;
export type CompanyBody = FromSchema<typeof COMPANY>;
