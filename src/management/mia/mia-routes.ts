import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Companies } from '../../domain/companies/companies.ts';
import type { Groups } from '../../domain/groups/groups.ts';
import { parseScopeToken } from '../../domain/permissions/scope-token.ts';
import { writtenRoles } from '../../domain/permissions/written-grants.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { everyPage } from '../every-page.ts';
import { defineRoute, type Route } from '../route.ts';

const tag = "For Mia's clients";

const TENANTS = {
  title: 'Tenants',
  type: 'array',
  items: {
    type: 'object',
    properties: {
      tenantId: { type: 'string', examples: ['acme'] },
      name: { type: 'string' },
      repository: { type: 'object' },
      pipelines: { type: 'object' },
    },
    required: ['tenantId', 'name', 'repository', 'pipelines'],
    additionalProperties: false,
  },
} as const satisfies JSONSchema;

const ROLE_IDS = { type: 'array', items: { type: 'string' } } as const;

const IDENTITIES = {
  title: 'Identities',
  type: 'array',
  items: {
    title: 'Identity',
    type: 'object',
    properties: {
      identityId: { type: 'string' },
      identityType: { type: 'string', enum: ['serviceaccount', 'group'] },
      name: { type: 'string' },
      companyRoles: ROLE_IDS,
      projects: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            _id: { type: 'string' },
            roles: ROLE_IDS,
            environments: {
              type: 'array',
              items: {
                type: 'object',
                properties: { envId: { type: 'string' }, roles: ROLE_IDS },
                required: ['envId', 'roles'],
                additionalProperties: false,
              },
            },
          },
          required: ['_id', 'roles', 'environments'],
          additionalProperties: false,
        },
      },
    },
    required: ['identityId', 'identityType', 'name', 'companyRoles', 'projects'],
    additionalProperties: false,
  },
} as const satisfies JSONSchema;

type Identity = FromSchema<typeof IDENTITIES>[number];

/**
 * The query of Mia's clients; a parameter may have several values, separated by commas. Other parameters are ignored.
 */
const IDENTITY_FILTER = {
  type: 'object',
  properties: {
    identityType: {
      type: 'string',
      maxLength: 64,
      description: 'serviceaccount, group or user; when absent: all of them',
    },
    projectIds: {
      type: 'string',
      maxLength: 4096,
      description: 'The projects whose roles are shown, separated by commas',
    },
  },
} as const;

/** The operations that only miactl and console-mcp-server call; they answer whole lists. */
export function miaRoutes({
  companies,
  serviceAccounts,
  groups,
}: {
  companies: Companies;
  serviceAccounts: ServiceAccounts;
  groups: Groups;
}): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/backend/tenants',
      operationId: 'listTenants',
      summary: 'List the companies that the caller may see',
      tag,
      // A permission at any place is enough: a caller that may see a part of a company may know that the company
      // exists.
      permission: ['writ.companies.view'],
      forCompanies: true,
      lenient: true,
      replies: { 200: { description: 'The companies', schema: TENANTS } },
      async handle({ caller }) {
        const all = await everyPage((page) => companies.list(caller, {}, page));
        const body = all.map(({ companyId, name }) => ({ tenantId: companyId, name, repository: {}, pipelines: {} }));
        return { status: 200, body };
      },
    }),
    defineRoute<undefined, FromSchema<typeof IDENTITY_FILTER>>({
      method: 'GET',
      path: '/api/companies/{companyId}/identities',
      operationId: 'listIdentities',
      summary: 'List the service accounts and groups of a company, with their roles',
      tag,
      permission: 'writ.serviceaccounts.view',
      query: IDENTITY_FILTER,
      lenient: true,
      replies: { 200: { description: 'The identities', schema: IDENTITIES } },
      async handle({ now, company, query: { identityType, projectIds } }) {
        if (company === undefined) throw new Error('the path names no company');
        const types = identityType?.split(',') ?? ['serviceaccount', 'group'];
        const projects = new Set(projectIds?.split(',').filter((id) => id !== ''));
        const accounts = types.includes('serviceaccount')
          ? await everyPage((page) => serviceAccounts.list(company, {}, page, now))
          : [];
        const teams = types.includes('group') ? await everyPage((page) => groups.list(company, {}, page)) : [];
        const body: Identity[] = [
          ...accounts.map(({ account, roles }) =>
            identity({ id: account.clientId, type: 'serviceaccount', name: account.name }, roles, projects),
          ),
          ...teams.map(({ group, grants }) =>
            identity({ id: group.groupId, type: 'group', name: group.name }, writtenRoles(grants), projects),
          ),
        ];
        return { status: 200, body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/companies/{companyId}/users',
      operationId: 'listUsers',
      summary: 'List the users of a company: there are none',
      tag,
      permission: 'writ.serviceaccounts.view',
      lenient: true,
      replies: { 200: { description: 'None', schema: { type: 'array', items: { type: 'object' }, maxItems: 0 } } },
      handle: () => Promise.resolve({ status: 200, body: [] }),
    }),
  ];
}

/**
 * An identity with its roles as Mia's clients read them: in the company, in the wanted projects, in their environments.
 */
function identity(
  { id, type, name }: { id: string; type: Identity['identityType']; name: string },
  roles: readonly string[],
  projects: ReadonlySet<string>,
): Identity {
  const placed = roles.flatMap((role) => parseScopeToken(role) ?? []);
  const at = (place: string): string[] => placed.filter((role) => role.place === place).map((role) => role.name);
  return {
    identityId: id,
    identityType: type,
    name,
    companyRoles: at(''),
    projects: [...projects].flatMap((project) => {
      const environments = new Set(
        placed.flatMap(({ place }) => {
          const [first, second, ...deeper] = place.split('/');
          return first === project && second !== undefined && deeper.length === 0 ? [second] : [];
        }),
      );
      if (at(project).length + environments.size === 0) return [];
      return [
        {
          _id: project,
          roles: at(project),
          environments: [...environments].toSorted().map((envId) => ({ envId, roles: at(`${project}/${envId}`) })),
        },
      ];
    }),
  };
}
