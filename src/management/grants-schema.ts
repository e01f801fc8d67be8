import type { JSONSchema } from 'json-schema-to-ts';
import { ID } from './common-schema.ts';

/** A permission that is given: its name, or its name and its resource server. */
export const GRANTED_PERMISSION = {
  description:
    'Its name, or its name at a place; with the identifier of its resource server where two of them declare it',
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
  description: "As Mia's clients say it: the one role that it has at no place; none when empty",
} as const;

export const PROJECTS_ROLE = {
  type: 'array',
  description:
    "As Mia's clients say it: changes of roles in projects and their environments; an empty role takes away, but beside environmentsRole it changes nothing",
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
