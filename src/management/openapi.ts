import { isDeepStrictEqual } from 'node:util';
import type { JSONSchema } from 'json-schema-to-ts';
import { MEANINGS } from '../domain/permissions/management-permissions.ts';
import { PROBLEM_CODES } from '../http/problem.ts';
import { queryParameters } from './read-query.ts';
import { publicDocument, type PublicDocument, publicPage } from '../http/public-document.ts';
import { type ApiDocument, type DocumentedOperation, referencePage } from './reference-page.ts';
import type { GuardedRoute, Operation, PublicRoute, Route } from './route.ts';

/** The members of an operation that the document describes. */
type Described = GuardedRoute | Omit<PublicRoute, 'document'>;

const TEXT = { type: 'string' } as const;

const PROBLEM: JSONSchema = {
  title: 'Problem',
  type: 'object',
  properties: {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    detail: TEXT,
    code: { enum: PROBLEM_CODES },
    requestId: TEXT,
    message: TEXT,
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: TEXT, message: TEXT },
        required: ['pointer', 'message'],
        additionalProperties: false,
      },
    },
    required: { ...TEXT, description: 'The missing permission, with its place' },
    builtInRoles: { type: 'array', items: TEXT, description: 'The built-in roles that have the missing permission' },
    limit: {
      type: 'object',
      description: 'The limit of the company that is reached',
      properties: { name: TEXT, most: { type: 'integer' }, used: { type: 'integer' } },
      required: ['name', 'most', 'used'],
      additionalProperties: false,
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId', 'message'],
  additionalProperties: false,
};

const DOCUMENT: Operation = {
  method: 'GET',
  path: '/api/openapi.json',
  operationId: 'getOpenApi',
  summary: 'Read this document',
  tag: 'Self',
  replies: { 200: { description: 'An OpenAPI 3.1 document', schema: { type: 'object' } } },
};

const PAGE: Operation = {
  method: 'GET',
  path: '/api/reference',
  operationId: 'getReference',
  summary: 'Read this document as a page',
  tag: 'Self',
  replies: { 200: { description: 'A page for people', schema: { type: 'string' }, type: 'text/html' } },
};

/**
 * `GET /api/openapi.json`: an OpenAPI 3.1 document, made from the schemas that check the requests.
 * `GET /api/reference`: the same as a page for people.
 */
export function openApiRoutes(issuer: string, routes: readonly Route[]): PublicRoute[] {
  const permission = 'public';
  const described = (): ApiDocument =>
    describe(issuer, [...routes, { ...DOCUMENT, permission }, { ...PAGE, permission }]);
  // A document is written when somebody asks for it: most servers are never asked.
  let [document, page]: (PublicDocument | undefined)[] = [];
  return [
    { ...DOCUMENT, permission, document: () => (document ??= publicDocument(described())) },
    { ...PAGE, permission, document: () => (page ??= publicPage(referencePage(described()))) },
  ];
}

const DESCRIPTION = `Registers and manages the service accounts that get tokens at \`/oauth/token\`.

Every call takes an access token of this server whose audience is this API. The token must have the permission that the operation names, and the account must still hold it. An account of a company may call the operations below the path of its company, and those about itself.

Errors are problem documents (RFC 9457) with a \`code\` from a closed list. Lists come in pages: follow the \`Link\` with \`rel="next"\`. If the server requires a \`Client-key\`, every call needs it.`;

function describe(issuer: string, routes: readonly Described[]): ApiDocument {
  const schemas: Record<string, unknown> = {};
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Writ management API',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: issuer }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name, description: TAGS[name] ?? name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        accessToken: {
          type: 'oauth2',
          description: `An access token for ${issuer}/api`,
          flows: {
            clientCredentials: {
              tokenUrl: `${issuer}/oauth/token`,
              scopes: MEANINGS,
            },
          },
        },
      },
    },
  };
}

const TAGS: Readonly<Record<string, string>> = {
  Companies: 'Tenants: each has service accounts of its own',
  'Root service accounts': 'The service accounts that belong to no company',
  'Service accounts of a company': 'The service accounts of one company; they have no rights outside it',
  'Root resource servers': 'APIs that every company sees',
  'Resource servers of a company': 'The APIs of one company, and their permissions',
  'Root trusted issuers': 'Issuers whose tokens may stand for the accounts of root and of every company',
  'Trusted issuers of a company': 'Issuers whose tokens may stand for the accounts of one company',
  'Root roles': 'Named sets of permissions: the built-in roles, and the roles that every company can grant',
  'Roles of a company': 'Named sets of permissions of one company',
  'Groups of a company': 'Teams of service accounts: members have the permissions and roles of the group',
  "For Mia's clients": 'Further operations for miactl and console-mcp-server',
  Self: 'Operations about the caller itself and about this server, which take no permission',
  Activity: 'The refusals of clients, and their reasons',
  'Signing keys': 'The keys that sign access tokens: their states, their replacement, and what to do with a leaked one',
  Audit: 'Every change, with the account that made it, its time and its request',
};

function operation(route: Described, schemas: Record<string, unknown>): DocumentedOperation {
  const guarded = route.permission === 'public' ? undefined : route;
  const named = (schema: unknown): unknown => moved(schema, schemas);
  const replies = Object.entries(route.replies).map(([status, { description, schema, type = 'application/json' }]) => [
    status,
    {
      description,
      headers: headersOf(guarded, Number(status)),
      ...(schema && { content: { [type]: { schema: named(schema) } } }),
    },
  ]);
  const refusals = Object.entries({ ...(guarded && standardRefusals(guarded)), ...route.refusals });
  const problem = (description: string): object => ({
    description,
    content: { 'application/problem+json': { schema: named(PROBLEM) } },
  });
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    parameters: parametersOf(route),
    security: guarded === undefined ? [] : securityOf(guarded),
    ...(guarded?.body && {
      requestBody: {
        required: guarded.bodyOptional !== true,
        content: Object.fromEntries(
          (route.method === 'PATCH' ? ['application/json', 'application/merge-patch+json'] : ['application/json']).map(
            (type) => [type, { schema: named(guarded.body), example: exampleOf(guarded) }],
          ),
        ),
      },
    }),
    responses: {
      ...Object.fromEntries(replies),
      ...Object.fromEntries(refusals.map(([status, description]) => [status, problem(description)])),
      default: problem('The server could not do it (`temporarily_unavailable`, `internal`)'),
    },
  };
}

function exampleOf({ body, example }: GuardedRoute): unknown {
  return example ?? (typeof body === 'object' ? body.examples?.[0] : undefined);
}

/** The security requirements of an operation; each entry alone is enough. */
function securityOf({ permission }: GuardedRoute): { accessToken: string[] }[] {
  if (permission === 'none') return [{ accessToken: [] }];
  return [permission].flat().map((one) => ({ accessToken: [one] }));
}

/** The refusals that follow from the members of an operation. */
function standardRefusals({ path, body, permission, conditional }: GuardedRoute): Record<number, string> {
  return {
    400:
      body === undefined
        ? 'The query does not have the expected form (`invalid_query`)'
        : 'The query or the body does not have the expected form (`invalid_query`, `invalid_body`)',
    401: 'There is no valid access token for this API, or no `Client-key` where the server asks for one (`unauthorized`)',
    ...((permission !== 'none' || !path.includes('{')) && {
      403: 'The caller may not do this (`insufficient_scope`, `forbidden`)',
    }),
    ...(path.includes('{') && { 404: 'The resource does not exist, or the caller may not see it (`not_found`)' }),
    408: 'The whole request did not arrive in time; the connection is closed',
    ...(conditional && { 412: '`If-Match` names another revision, or none (`precondition_failed`)' }),
    ...(body !== undefined && {
      413: 'The body is larger than 256 KB (`too_large`)',
      415: 'The body is not JSON (`unsupported_media_type`)',
      422: 'A rule refuses the body (`invalid_body`, `audience_required`, `limit_reached`, `token_too_large`)',
    }),
    429: 'Too many requests of this company or root account are waiting, or too many from this address failed to authenticate (`too_many_requests`)',
  };
}

function parametersOf(route: Described): DocumentedOperation['parameters'] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: TEXT,
    ...(name === 'clientId' && { description: 'The id of the account, or its slug' }),
  }));
  if (route.permission === 'public') return inPath;
  const inQuery = Object.entries(queryParameters(route)).map(([name, schema]) => {
    const { description, ...rest } = schema === true || schema === false ? {} : schema;
    return { name, in: 'query', schema: rest, ...(description !== undefined && { description }) };
  });
  const ifMatch = { name: 'If-Match', in: 'header', schema: TEXT, description: 'The `ETag` of the resource to change' };
  return [...inPath, ...inQuery, ...(route.conditional ? [ifMatch] : [])];
}

function headersOf(route: GuardedRoute | undefined, status: number): object {
  const header = (description: string): object => ({ description, schema: TEXT });
  return {
    'X-Request-Id': header('The id of the request in the log and the audit'),
    ...(status === 201 &&
      route?.elsewhere !== true && { Location: header('The new resource, relative to the address of the call') }),
    ...(route?.list && {
      Link: header('The next page, if there is one, with `rel="next"` and relative to the address of the call'),
    }),
    ...(route?.revisioned && { ETag: header('The revision of the resource, for `If-Match`') }),
    ...(route === undefined && { ETag: header('The version of the document, for `If-None-Match`') }),
  };
}

/** Moves every schema with a title into the components, and leaves a reference in its place. */
function moved(schema: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item: unknown) => moved(item, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, moved(value, schemas)]));
  const title = copy['title'];
  if (typeof title !== 'string') return copy;
  if (title in schemas && !isDeepStrictEqual(schemas[title], copy)) throw new Error(`two schemas are called ${title}`);
  schemas[title] = copy;
  return { $ref: `#/components/schemas/${title}` };
}
