import type { FromSchema } from 'json-schema-to-ts';
import type { Roles, ShownRole } from '../../domain/roles/roles.ts';
import { CASCADE, type Cascade, IN_USE } from '../cascade.ts';
import { type Collection, collectionsOf } from '../collection.ts';
import { SEARCH } from '../common-schema.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import { CHANGED_ROLE, type ChangedRoleBody, NEW_ROLE, type NewRoleBody, ROLE, type RoleBody } from './role-schema.ts';

const { root, company: ofCompany } = collectionsOf({ segment: 'roles', id: 'Role', one: 'role', many: 'roles' });

const FILTER = {
  type: 'object',
  properties: { search: { ...SEARCH, description: 'A prefix of the name or the id' } },
  additionalProperties: false,
} as const;

/** A company may not use the ids of root's roles, so this example differs from the one for root. */
const COMPANY_EXAMPLE = { roleId: 'release', name: 'Release', permissions: ['orders:read', 'orders:write'] };

/** The operations on the roles of root and of companies. */
export function roleRoutes(roles: Roles): Route[] {
  return [root, ofCompany].flatMap((collection) => routesOf(collection, roles));
}

function routesOf({ path, tag, operationId, one }: Collection, roles: Roles): Route[] {
  const single = `${path}/{roleId}`;
  return [
    defineRoute<NewRoleBody>({
      method: 'POST',
      path,
      operationId: operationId('create'),
      summary: `Create a ${one}`,
      tag,
      permission: 'writ.roles.manage',
      body: NEW_ROLE,
      ...(path === ofCompany.path && { example: COMPANY_EXAMPLE }),
      revisioned: true,
      replies: { 201: { description: 'The role', schema: ROLE } },
      refusals: {
        409: 'The id is taken (`already_exists`), or two resource servers declare a permission (`ambiguous_permission`)',
      },
      async handle({ caller, company, body: { roleId, name, description, permissions = [] } }) {
        const made = await roles.create(caller, company, { roleId, name, description, permissions });
        return { ...presented(made, 201), created: made.role.roleId };
      },
    }),
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path,
      operationId: operationId('list', 's'),
      summary: 'List every role that can be granted here, newest first',
      tag,
      permission: 'writ.serviceaccounts.view',
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The roles', schema: { type: 'array', items: ROLE } } },
      async handle({ company, query, page }) {
        const { items, next } = await roles.list(company, query, page);
        return { status: 200, body: items.map(present), next };
      },
    }),
    defineRoute({
      method: 'GET',
      path: single,
      operationId: operationId('get'),
      summary: 'Read a role that can be granted here',
      tag,
      permission: 'writ.serviceaccounts.view',
      revisioned: true,
      replies: { 200: { description: 'The role', schema: ROLE } },
      handle: async ({ company, param }) => presented(await roles.get(company, param('roleId')), 200),
    }),
    defineRoute<ChangedRoleBody>({
      method: 'PATCH',
      path: single,
      operationId: operationId('change'),
      summary: `Change a ${one} for all its holders`,
      tag,
      permission: 'writ.roles.manage',
      body: CHANGED_ROLE,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed role', schema: ROLE } },
      refusals: { 409: 'Two resource servers declare a permission (`ambiguous_permission`)' },
      handle: async ({ caller, company, expected, body, param }) =>
        presented(await roles.change(caller, company, param('roleId'), expected, body), 200),
    }),
    defineRoute<undefined, Cascade>({
      method: 'DELETE',
      path: single,
      operationId: operationId('remove'),
      summary: `Delete a ${one}`,
      tag,
      permission: 'writ.roles.manage',
      query: CASCADE,
      conditional: true,
      replies: { 204: { description: 'The role has been deleted' } },
      refusals: { 409: IN_USE },
      async handle({ caller, company, expected, query: { cascade = false }, param }) {
        await roles.delete(caller, company, param('roleId'), expected, cascade);
        return { status: 204 };
      },
    }),
  ];
}

function presented(shown: ShownRole, status: number): Answer {
  return { status, body: present(shown), revision: shown.role.revision };
}

function present({ role, builtIn, permissions }: ShownRole): RoleBody {
  return {
    roleId: role.roleId,
    name: role.name,
    description: role.description ?? null,
    company: role.company ?? null,
    builtIn,
    permissions: [...permissions],
    createdAt: role.createdAt.toISOString(),
    createdBy: role.createdBy ?? null,
    updatedAt: role.updatedAt.toISOString(),
  };
}
