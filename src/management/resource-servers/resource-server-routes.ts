import type { FromSchema } from 'json-schema-to-ts';
import type { CompanyId } from '../../domain/ids.ts';
import type { DeclaredPermission, ResourceServer } from '../../domain/resource-servers/resource-server.ts';
import type { ResourceServers } from '../../domain/resource-servers/resource-servers.ts';
import { CASCADE, type Cascade, IN_USE } from '../cascade.ts';
import { type Collection, collectionsOf } from '../collection.ts';
import { SEARCH } from '../common-schema.ts';
import { secondsOrNone } from '../duration.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import {
  CHANGED_RESOURCE_SERVER,
  type ChangedResourceServerBody,
  NEW_RESOURCE_SERVER,
  type NewResourceServerBody,
  RESOURCE_SERVER,
  type ResourceServerBody,
} from './resource-server-schema.ts';

const { root, company: ofCompany } = collectionsOf({
  segment: 'resource-servers',
  id: 'ResourceServer',
  one: 'resource server',
  many: 'resource servers',
});

const FILTER = {
  type: 'object',
  properties: { search: { ...SEARCH, description: 'A prefix of the name' } },
  additionalProperties: false,
} as const;

const COMPANY_EXAMPLE = {
  identifier: 'api://acme/invoices',
  name: 'Invoices',
  permissions: [{ name: 'invoices:read', description: 'Read invoices' }],
};

/** The operations on the resource servers of root and of companies. */
export function resourceServerRoutes(resourceServers: ResourceServers): Route[] {
  return [root, ofCompany].flatMap((collection) => routesOf(collection, resourceServers));
}

function routesOf({ path, tag, operationId, one }: Collection, resourceServers: ResourceServers): Route[] {
  const single = `${path}/{resourceServerId}`;
  return [
    defineRoute<NewResourceServerBody>({
      method: 'POST',
      path,
      operationId: operationId('register'),
      summary: `Create a ${one}`,
      tag,
      permission: 'writ.resourceservers.manage',
      body: NEW_RESOURCE_SERVER,
      ...(path === ofCompany.path && { example: COMPANY_EXAMPLE }),
      revisioned: true,
      replies: { 201: { description: 'The resource server', schema: RESOURCE_SERVER } },
      refusals: { 409: 'The identifier is taken (`already_exists`)' },
      async handle({ caller, company, body }) {
        const server = await resourceServers.create(caller, company, {
          identifier: body.identifier,
          name: body.name,
          permissions: (body.permissions ?? []).map(declared),
          tokenTtl: secondsOrNone(body.tokenTtl, '/tokenTtl') ?? undefined,
          signingAlg: body.signingAlg ?? undefined,
          tokenType: body.tokenType ?? 'at+jwt',
          senderConstraint: body.senderConstraint ?? 'none',
          introspectedBy: body.introspectedBy ?? [],
        });
        return { ...presented(server, 201, company), created: server.resourceServerId };
      },
    }),
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path,
      operationId: operationId('list', 's'),
      summary: 'List every resource server that is visible here, newest first',
      tag,
      permission: 'writ.serviceaccounts.view',
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The resource servers', schema: { type: 'array', items: RESOURCE_SERVER } } },
      async handle({ company, query, page }) {
        const { items, next } = await resourceServers.list(company, query, page);
        return { status: 200, body: items.map((server) => present(server, company)), next };
      },
    }),
    defineRoute({
      method: 'GET',
      path: single,
      operationId: operationId('get'),
      summary: 'Read a resource server that is visible here',
      tag,
      permission: 'writ.serviceaccounts.view',
      revisioned: true,
      replies: { 200: { description: 'The resource server', schema: RESOURCE_SERVER } },
      handle: async ({ company, param }) =>
        presented(await resourceServers.get(company, param('resourceServerId')), 200, company),
    }),
    defineRoute<ChangedResourceServerBody, Cascade>({
      method: 'PATCH',
      path: single,
      operationId: operationId('change'),
      summary: `Change a ${one}`,
      tag,
      permission: 'writ.resourceservers.manage',
      body: CHANGED_RESOURCE_SERVER,
      query: CASCADE,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed resource server', schema: RESOURCE_SERVER } },
      refusals: { 409: IN_USE },
      async handle({ caller, company, expected, body, query, param }) {
        const changes = {
          ...body,
          permissions: body.permissions?.map(declared),
          tokenTtl: secondsOrNone(body.tokenTtl, '/tokenTtl'),
        };
        const { cascade = false } = query;
        const id = param('resourceServerId');
        return presented(await resourceServers.change(caller, company, id, expected, changes, cascade), 200, company);
      },
    }),
    defineRoute<undefined, Cascade>({
      method: 'DELETE',
      path: single,
      operationId: operationId('remove'),
      summary: `Delete a ${one}`,
      tag,
      permission: 'writ.resourceservers.manage',
      query: CASCADE,
      conditional: true,
      replies: { 204: { description: 'The resource server has been deleted' } },
      refusals: { 409: IN_USE },
      async handle({ caller, company, expected, query, param }) {
        const { cascade = false } = query;
        await resourceServers.delete(caller, company, param('resourceServerId'), expected, cascade);
        return { status: 204 };
      },
    }),
  ];
}

function declared({ name, description }: { name: string; description?: string | null }): DeclaredPermission {
  return { name, description: description ?? undefined };
}

function presented(server: ResourceServer, status: number, company: CompanyId | undefined): Answer {
  return { status, body: present(server, company), revision: server.revision };
}

/**
 * Shows a resource server. A company does not see the introspectors of root's resource servers.
 *
 * @param company the company in the path of the call; undefined: root
 */
function present(server: ResourceServer, company: CompanyId | undefined): ResourceServerBody {
  return {
    resourceServerId: server.resourceServerId,
    identifier: server.identifier,
    name: server.name,
    company: server.company ?? null,
    permissions: server.permissions.map(({ name, description }) => ({
      name,
      ...(description !== undefined && { description }),
    })),
    tokenTtl: server.tokenTtl ?? null,
    signingAlg: server.signingAlg ?? null,
    tokenType: server.tokenType,
    senderConstraint: server.senderConstraint,
    introspectedBy: server.company === company ? [...server.introspectedBy] : [],
    createdAt: server.createdAt.toISOString(),
    createdBy: server.createdBy ?? null,
    updatedAt: server.updatedAt.toISOString(),
  };
}
