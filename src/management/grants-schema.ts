import type { JSONSchema } from 'json-schema-to-ts';

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
