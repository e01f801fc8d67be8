import type { JSONSchema } from 'json-schema-to-ts';
import { ID } from './common-schema.ts';

/** A granted permission: its name, or its name and its resource server. */
export const GRANTED_PERMISSION = {
  description:
    'The name of a permission, perhaps at a place; with the identifier of its resource server where two of them declare the name',
  anyOf: [
    { type: 'string', maxLength: 700 },
    {
      type: 'object',
      properties: {
        permission: { type: 'string', maxLength: 700 },
        resource: { type: 'string', pattern: '^[!-~]{1,512}$' },
      },
      required: ['permission', 'resource'],
      additionalProperties: false,
    },
  ],
} as const satisfies JSONSchema;

export const GRANTED_PERMISSIONS = {
  type: 'array',
  items: GRANTED_PERMISSION,
  maxItems: 1000,
  examples: [['orders:read', 'deploy.trigger@shop/prod']],
} as const satisfies JSONSchema;

export const GRANTED_ROLES = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 700 },
  maxItems: 1000,
  examples: [['developer', 'maintainer@shop']],
} as const satisfies JSONSchema;

export const GRANTED_GROUPS = {
  type: 'array',
  items: { type: 'string', pattern: '^[!-~]{1,64}$' },
  maxItems: 100,
} as const satisfies JSONSchema;

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
