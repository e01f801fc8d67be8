import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CLIENT_ID_PATTERN } from '../../domain/ids.ts';
import { CREATED_BY, ID, NAME, TIME } from '../common-schema.ts';
import { GRANTED_PERMISSIONS, GRANTED_ROLES } from '../grants-schema.ts';
import { COMPANY_ROLE, MIA_GROUP_MEMBERS, PROJECTS_ROLE } from '../mia/mia-schema.ts';

const NAMED = { ...NAME, examples: ['Billing'] } as const;

export const MEMBERS = {
  type: 'array',
  description: 'Ids or slugs of service accounts of the company',
  items: { type: 'string', pattern: CLIENT_ID_PATTERN },
  maxItems: 1000,
  examples: [['order-import']],
} as const satisfies JSONSchema;

/** The body for creating a group. */
export const NEW_GROUP = {
  title: 'GroupInput',
  type: 'object',
  properties: {
    groupId: { ...ID, description: 'When absent: made from the name', examples: ['billing'] },
    name: NAMED,
    roles: GRANTED_ROLES,
    permissions: GRANTED_PERMISSIONS,
    role: COMPANY_ROLE,
    members: MEMBERS,
  },
  required: ['name'],
  additionalProperties: false,
  examples: [
    { groupId: 'billing', name: 'Billing', roles: ['developer', 'maintainer@shop'], members: ['order-import'] },
  ],
} as const satisfies JSONSchema;

/** The body for changing a group: a JSON merge patch (RFC 7396). */
export const CHANGED_GROUP = {
  title: 'GroupPatch',
  type: 'object',
  properties: {
    name: NAMED,
    roles: { ...GRANTED_ROLES, description: 'All roles, instead of the present ones' },
    permissions: { ...GRANTED_PERMISSIONS, description: 'All permissions, instead of the present ones' },
    role: COMPANY_ROLE,
    projectsRole: PROJECTS_ROLE,
    members: { ...MEMBERS, description: 'All members, instead of the present ones' },
  },
  additionalProperties: false,
  examples: [{ name: 'Billing', permissions: ['orders:read'], members: ['order-import'] }],
} as const satisfies JSONSchema;

/** A group in an answer. */
export const GROUP = {
  title: 'Group',
  type: 'object',
  properties: {
    groupId: { type: 'string', examples: ['billing'] },
    name: { type: 'string', examples: ['Billing'] },
    company: { type: 'string', examples: ['acme'] },
    roles: { ...GRANTED_ROLES, description: 'In alphabetical order' },
    permissions: { ...GRANTED_PERMISSIONS, description: 'In alphabetical order, each as it was written' },
    members: { ...MEMBERS, description: 'Ids of service accounts' },
    createdAt: TIME,
    createdBy: CREATED_BY,
    updatedAt: TIME,
    ...MIA_GROUP_MEMBERS,
  },
  required: [
    'groupId',
    'name',
    'company',
    'roles',
    'permissions',
    'members',
    'createdAt',
    'createdBy',
    'updatedAt',
    '_id',
    'role',
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The members of a group. */
export const GROUP_MEMBERS = {
  title: 'GroupMembers',
  type: 'array',
  items: {
    type: 'object',
    properties: { clientId: { type: 'string' } },
    required: ['clientId'],
    additionalProperties: false,
  },
} as const satisfies JSONSchema;

/** The body for adding members: `members`, or `emails` from Mia's clients. */
export const JOINING_MEMBERS = {
  title: 'JoiningMembersInput',
  type: 'object',
  properties: {
    members: MEMBERS,
    emails: { ...MEMBERS, description: "The same as members, for Mia's clients" },
  },
  additionalProperties: false,
  examples: [{ members: ['order-import'] }],
} as const satisfies JSONSchema;

/** The body for removing members. */
export const LEAVING_MEMBERS = {
  title: 'LeavingMembersInput',
  type: 'object',
  properties: { memberIds: MEMBERS },
  required: ['memberIds'],
  additionalProperties: false,
  examples: [{ memberIds: ['order-import'] }],
} as const satisfies JSONSchema;

export type NewGroupBody = FromSchema<typeof NEW_GROUP>;
export type ChangedGroupBody = FromSchema<typeof CHANGED_GROUP>;
export type GroupBody = FromSchema<typeof GROUP>;
export type JoiningMembersBody = FromSchema<typeof JOINING_MEMBERS>;
export type LeavingMembersBody = FromSchema<typeof LEAVING_MEMBERS>;
