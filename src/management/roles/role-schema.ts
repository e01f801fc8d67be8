import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CREATED_BY, DESCRIPTION, ID, NAME, TIME } from '../common-schema.ts';
import { GRANTED_PERMISSIONS } from '../grants-schema.ts';

const NAMED = { ...NAME, examples: ['On call'] } as const;

/** What can be sent to make a role. */
export const NEW_ROLE = {
  title: 'NewRole',
  type: 'object',
  properties: {
    roleId: { ...ID, description: 'Made from the name when absent', examples: ['on-call'] },
    name: NAMED,
    description: DESCRIPTION,
    permissions: GRANTED_PERMISSIONS,
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** What can be sent to change one: a JSON merge patch (RFC 7396). */
export const CHANGED_ROLE = {
  title: 'ChangedRole',
  type: 'object',
  properties: {
    name: NAMED,
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    permissions: {
      ...GRANTED_PERMISSIONS,
      description: 'All of them, instead of those that it has; those that a built-in role has by itself stay',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

/** A role as it is answered. */
export const ROLE = {
  title: 'Role',
  type: 'object',
  properties: {
    roleId: { type: 'string', examples: ['on-call'] },
    name: { type: 'string', examples: ['On call'] },
    description: { type: ['string', 'null'] },
    company: { type: ['string', 'null'], description: "null: root's or built in, and every company can give it" },
    builtIn: { type: 'boolean' },
    permissions: { ...GRANTED_PERMISSIONS, description: 'A set, in alphabetical order, each as it was written' },
    createdAt: TIME,
    createdBy: { ...CREATED_BY, type: ['string', 'null'] },
    updatedAt: TIME,
  },
  required: [
    'roleId',
    'name',
    'description',
    'company',
    'builtIn',
    'permissions',
    'createdAt',
    'createdBy',
    'updatedAt',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type NewRoleBody = FromSchema<typeof NEW_ROLE>;
export type ChangedRoleBody = FromSchema<typeof CHANGED_ROLE>;
export type RoleBody = FromSchema<typeof ROLE>;
