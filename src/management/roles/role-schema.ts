import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CREATED_BY, DESCRIPTION, ID, NAME, TIME } from '../common-schema.ts';
import { GRANTED_PERMISSIONS } from '../grants-schema.ts';

/** A role is at a place where it is held, and its permissions are not. */
const PERMISSIONS = { ...GRANTED_PERMISSIONS, examples: [['orders:read', 'orders:write']] } as const;
const NAMED = { ...NAME, examples: ['On call'] } as const;

/** What can be sent to make a role. */
export const NEW_ROLE = {
  title: 'RoleInput',
  type: 'object',
  properties: {
    roleId: { ...ID, description: 'Made from the name when absent', examples: ['on-call'] },
    name: NAMED,
    description: DESCRIPTION,
    permissions: PERMISSIONS,
  },
  required: ['name'],
  additionalProperties: false,
  examples: [{ roleId: 'on-call', name: 'On call', permissions: ['orders:read', 'orders:write'] }],
} as const satisfies JSONSchema;

/** What can be sent to change one: a JSON merge patch (RFC 7396). */
export const CHANGED_ROLE = {
  title: 'RolePatch',
  type: 'object',
  properties: {
    name: NAMED,
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    permissions: {
      ...PERMISSIONS,
      description: 'All of them, instead of those that it has; those that a built-in role has by itself stay',
    },
  },
  additionalProperties: false,
  examples: [{ description: 'Looks after the shop at night', permissions: ['orders:read'] }],
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
    permissions: { ...PERMISSIONS, description: 'A set, in alphabetical order, each as it was written' },
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
