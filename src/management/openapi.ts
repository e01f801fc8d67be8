import type { JSONSchema } from 'json-schema-to-ts';
import { MANAGEMENT_PERMISSIONS } from '../domain/permissions/management-permissions.ts';
import { PROBLEM_CODES } from '../http/problem.ts';
import type { PublicRoute, Route } from './route.ts';

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
    required: TEXT,
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId', 'message'],
  additionalProperties: false,
};

/** `GET /api/openapi.json`: the management API described by the schemas that check it (OpenAPI 3.1). */
export function openApiRoute(issuer: string, routes: readonly Route[]): PublicRoute {
  const route: PublicRoute = {
    method: 'GET',
    path: '/api/openapi.json',
    operationId: 'getOpenApi',
    summary: 'Read this document',
    permission: 'public',
    replies: { 200: { description: 'An OpenAPI 3.1 document', schema: { type: 'object' } } },
    handle: () => Promise.resolve({ status: 200, body: document }),
  };
  const document = describe(issuer, [...routes, route]);
  return route;
}

function describe(issuer: string, routes: readonly Route[]): object {
  const schemas: Record<string, unknown> = {};
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Writ management API', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: issuer }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        accessToken: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: `${issuer}/oauth/token`,
              scopes: Object.fromEntries(MANAGEMENT_PERMISSIONS.map((name) => [name, name])),
            },
          },
        },
      },
    },
  };
}

function operation(route: Route, schemas: Record<string, unknown>): object {
  const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const replies = Object.entries(route.replies).map(([status, { description, schema }]) => [
    status,
    { description, ...(schema && { content: { 'application/json': { schema: named(schema, schemas) } } }) },
  ]);
  const problem = {
    description: 'Refused, with the reason',
    content: { 'application/problem+json': { schema: named(PROBLEM, schemas) } },
  };
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.permission !== 'public' && {
      security: [{ accessToken: [route.permission] }],
      ...(route.body && {
        requestBody: { required: true, content: { 'application/json': { schema: named(route.body, schemas) } } },
      }),
    }),
    responses: { ...Object.fromEntries(replies), default: problem },
  };
}

/** Moves every schema that has a title into the components, and refers to it there. */
function named(schema: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item: unknown) => named(item, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, named(value, schemas)]));
  const title = copy['title'];
  if (typeof title !== 'string') return copy;
  schemas[title] = copy;
  return { $ref: `#/components/schemas/${title}` };
}
