import type { JSONSchema } from 'json-schema-to-ts';
import { ID, TIME } from '../common-schema.ts';
import { PUBLIC_KEY } from '../credentials/credential-schema.ts';

/** The members of a registration that Mia's clients send in place of `credentials`. */
export const MIA_REGISTRATION_MEMBERS = {
  tokenEndpointAuthMethod: { type: 'string', enum: ['client_secret_basic', 'private_key_jwt'] },
  publicKey: { ...PUBLIC_KEY, description: 'The key for tokenEndpointAuthMethod private_key_jwt' },
} as const satisfies Record<string, JSONSchema>;

/** The members of a service account that Mia's clients read. */
export const MIA_ACCOUNT_MEMBERS = {
  lastLogin: { ...TIME, type: ['string', 'null'], description: "The same as lastUsedAt, for Mia's clients" },
  authMethod: {
    type: ['string', 'null'],
    enum: ['client_secret_basic', 'private_key_jwt', null],
    description: 'How the account can authenticate; null: it has no client secret and no public key',
  },
  companyRoles: { type: 'array', items: { type: 'string' }, description: 'The roles that the account has everywhere' },
} as const satisfies Record<string, JSONSchema>;

/** The members of a group that Mia's clients read. */
export const MIA_GROUP_MEMBERS = {
  _id: { type: 'string', description: "The groupId, for Mia's clients" },
  role: {
    type: 'string',
    description: "The role that the group has in the whole company, for Mia's clients; empty: it has none",
  },
} as const satisfies Record<string, JSONSchema>;

export const COMPANY_ROLE = {
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{0,64}$',
  description:
    "For Mia's clients: the only role in the whole company, or in the project or environment that contains this member; empty: no role",
} as const;

export const PROJECTS_ROLE = {
  type: 'array',
  description:
    "For Mia's clients: changes of roles in projects and their environments. An empty role removes the present one; the empty role of a project with environmentsRole changes nothing",
  items: {
    type: 'object',
    properties: {
      projectId: ID,
      role: COMPANY_ROLE,
      environmentsRole: {
        type: 'array',
        items: {
          type: 'object',
          properties: { envId: ID, role: COMPANY_ROLE },
          required: ['envId', 'role'],
          additionalProperties: false,
        },
        maxItems: 100,
      },
    },
    required: ['projectId'],
    additionalProperties: false,
  },
  maxItems: 100,
} as const;
