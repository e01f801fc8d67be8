import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CREATED_BY, DESCRIPTION, ID, NAME, TIME } from '../common-schema.ts';
import { GRANTED_PERMISSIONS } from '../grants-schema.ts';

/** The permissions of a role name no places: the grant of the role names the place. */
const PERMISSIONS = { ...GRANTED_PERMISSIONS, examples: [['orders:read', 'orders:write']] } as const;
const NAMED = { ...NAME, examples: ['On call'] } as const;

/** The body for creating a role. */
export const NEW_ROLE = {
  title: 'RoleInput',
  type: 'object',
  properties: {
    roleId: { ...ID, description: 'When absent: made from the name', examples: ['on-call'] },
    name: NAMED,
    description: DESCRIPTION,
    permissions: PERMISSIONS,
  },
  required: ['name'],
  additionalProperties: false,
  examples: [{ roleId: 'on-call', name: 'On call', permissions: ['orders:read', 'orders:write'] }],
} as const satisfies JSONSchema;

/** The body for changing a role: a JSON merge patch (RFC 7396). */
export const CHANGED_ROLE = {
  title: 'RolePatch',
  type: 'object',
  properties: {
    name: NAMED,
    description: { ...DESCRIPTION, type: ['string', 'null'] },
    permissions: {
      ...PERMISSIONS,
      description: 'All permissions, instead of the present ones; the built-in permissions of a built-in role stay',
    },
  },
  additionalProperties: false,
  examples: [{ description: 'Looks after the shop at night', permissions: ['orders:read'] }],
} as const satisfies JSONSchema;

/** A role in an answer. */
export const ROLE = {
  title: 'Role',
  type: 'object',
  properties: {
    roleId: { type: 'string', examples: ['on-call'] },
    name: { type: 'string', examples: ['On call'] },
    description: { type: ['string', 'null'] },
    company: {
      type: ['string', 'null'],
      description: "null: root's role or a built-in role, which every company can grant",
    },
    builtIn: { type: 'boolean' },
    permissions: { ...PERMISSIONS, description: 'In alphabetical order, each as it was written' },
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
