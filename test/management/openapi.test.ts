import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { publicDocument } from '../../src/http/public-document.ts';
import { openApiRoutes } from '../../src/management/openapi.ts';
import type { Route } from '../../src/management/route.ts';
import { operationsWithBody } from '../support/api-document.ts';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

test('the OpenAPI document is not generated when two different schemas have one name', () => {
  const route = (operationId: string, type: 'string' | 'integer'): Route => ({
    method: 'GET',
    path: `/api/${operationId}`,
    operationId,
    summary: operationId,
    tag: 'Self',
    permission: 'public',
    replies: { 200: { description: 'An answer', schema: { title: 'Answer', type } } },
    document: () => publicDocument({}),
  });
  const documentOf = (...routes: Route[]): object | undefined =>
    openApiRoutes('https://id.example', routes)[0]?.document();
  assert.ok(documentOf(route('one', 'string'), route('two', 'string')));
  assert.throws(() => documentOf(route('one', 'string'), route('two', 'integer')), /two schemas are called Answer/);
});

describe('the OpenAPI document', () => {
  const app = useTestApp(embedded);

  test('passes the strict rules of a linter for OpenAPI documents', async () => {
    const { status, text } = await app.request('/api/openapi.json');
    assert.equal(status, 200);
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config });
    assert.deepEqual(
      problems
        // Allowed: the server under test is on loopback, and the operations of the document itself have no error answers.
        .filter(({ ruleId }) => ruleId !== 'no-server-example.com')
        .filter(({ location }) => !/api~1(?:openapi.json|reference)\/get\/responses$/.test(location[0]?.pointer ?? ''))
        .map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`),
      [],
    );
  });

  test('describes the answer 408 for every operation that takes a token', async () => {
    const { json } = await app.request('/api/openapi.json');
    const described = Object.values<Record<string, { responses: object; security: object[] }>>(json.paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ security }) => security.length > 0);
    assert.ok(described.length > 50);
    assert.ok(described.every(({ responses }) => '408' in responses));
  });

  test('names the permission of every operation, and defines all schemas that it refers to', async () => {
    const { json } = await app.request('/api/openapi.json');
    assert.equal(json.openapi, '3.1.0');
    const operations = Object.entries<Record<string, { operationId: string; security: Record<string, string[]>[] }>>(
      json.paths,
    ).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { security }]) =>
          `${method} ${path}: ${security.map(({ accessToken }) => accessToken?.join() ?? '').join()}`,
      ),
    );
    const [manage, view, bind] = ['writ.serviceaccounts.manage', 'writ.serviceaccounts.view', 'writ.roles.bind'];
    const [servers, roles] = ['writ.resourceservers.manage', 'writ.roles.manage'];
    const credentials = 'writ.credentials.manage';
    const managed = (path: string, one: string, permission: string, reading = view): string[] => [
      `delete ${path}/{${one}}: ${permission}`,
      `get ${path}/{${one}}: ${reading}`,
      `get ${path}: ${reading}`,
      `patch ${path}/{${one}}: ${permission}`,
      `post ${path}: ${permission}`,
    ];
    const accounts = (path: string): string[] => [
      ...managed(`${path}/{clientId}/credentials`, 'credentialId', credentials),
      `post ${path}/{clientId}/credentials/{credentialId}/rotate: ${credentials}`,
      `delete ${path}/{clientId}/permissions/{permission}: ${manage}`,
      `delete ${path}/{clientId}/roles/{role}: ${bind}`,
      `delete ${path}/{clientId}: ${manage}`,
      `get ${path}/{clientId}/activity: writ.activity.view`,
      `post ${path}/{clientId}/diagnose-assertion: writ.activity.view`,
      `post ${path}/{clientId}/impersonate: writ.serviceaccounts.impersonate`,
      `post ${path}/{clientId}/credentials/{credentialId}/test: writ.activity.view`,
      `get ${path}/{clientId}/effective-permissions: ${view}`,
      `get ${path}/{clientId}: ${view}`,
      `get ${path}: ${view}`,
      `patch ${path}/{clientId}: ${manage},${bind}`,
      `post ${path}: ${manage}`,
      `put ${path}/{clientId}/permissions/{permission}: ${manage}`,
      `put ${path}/{clientId}/roles/{role}: ${bind}`,
    ];
    const company = '/api/companies/{companyId}';
    const group = `${company}/groups/{groupId}`;
    assert.deepEqual(
      operations.toSorted(),
      [
        'delete /api/signing-keys/{kid}: writ.signingkeys.manage',
        'get /api/signing-keys: writ.signingkeys.manage',
        'post /api/signing-keys/rotate: writ.signingkeys.manage',
        ...managed('/api/companies', 'companyId', 'writ.companies.manage', 'writ.companies.view'),
        ...['/api', company].flatMap((path) => [
          ...accounts(`${path}/service-accounts`),
          ...managed(`${path}/resource-servers`, 'resourceServerId', servers),
          ...managed(`${path}/trusted-issuers`, 'trustedIssuerId', 'writ.trustedissuers.manage'),
          ...managed(`${path}/roles`, 'roleId', roles),
          `get ${path}/activity: writ.activity.view`,
          `get ${path}/audit-events: writ.audit.view`,
          `get ${path}/credentials: ${view}`,
        ]),
        ...managed(`${company}/groups`, 'groupId', bind),
        ...['permissions/{permission}', 'roles/{role}', 'members/{clientId}'].flatMap((path) => [
          `delete ${group}/${path}: ${bind}`,
          `put ${group}/${path}: ${bind}`,
        ]),
        `delete ${group}/members: ${bind}`,
        `get ${group}/members: ${view}`,
        `post ${group}/members: ${bind}`,
        'get /api/backend/tenants: writ.companies.view',
        `get ${company}/identities: ${view}`,
        `get ${company}/users: ${view}`,
        'get /api/openapi.json: ',
        'get /api/reference: ',
        'get /api/self: ',
        'post /api/self/rotate: ',
        'get /api/version: ',
      ].toSorted(),
    );
    const references = [...JSON.stringify(json).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) =>
      String(name),
    );
    for (const name of references) assert.ok(name in json.components.schemas, name);
  });

  test('has no construct that client generators cannot handle', async () => {
    const { json } = await app.request('/api/openapi.json');
    const found: string[] = [];
    let looked = 0;
    walk(json, (node, where) => {
      looked += 1;
      const { type, pattern, anyOf, oneOf } = node;
      if (Array.isArray(type) && type.filter((one) => one !== 'null').length !== 1) found.push(`${where}: two types`);
      for (const alternatives of [anyOf, oneOf]) {
        if (Array.isArray(alternatives) && alternatives.some((one) => one.type === 'null')) {
          found.push(`${where}: an alternative that is null and nothing else`);
        }
      }
      if (typeof pattern === 'string' && /\(\?[^:]|\\[upPkbB1-9]|[^ -~]/.test(pattern))
        found.push(`${where}: ${pattern}`);
    });
    assert.ok(looked > 1000, String(looked));
    assert.deepEqual(found, []);
  });

  test('has no schema whose name collides with a name that client generators derive', async () => {
    const { json } = await app.request('/api/openapi.json');
    const titles = Object.keys(json.components.schemas);
    const operations = Object.values<Record<string, { operationId: string; tags: string[] }>>(json.paths).flatMap(
      (methods) => Object.values(methods),
    );
    const made = [
      ...titles.flatMap((title) => [`New${title}`, `New${title}WithDefaults`, `Nullable${title}`, `${title}Builder`]),
      ...operations.flatMap(({ operationId: id }) => [
        id,
        ...['Params', 'Body', 'JSONBody', 'JSONRequestBody', 'RequestBody', 'Request', 'Response', 'Responses'].flatMap(
          (suffix) => [`${id}${suffix}`, `New${id}${suffix}`, `Api${id}${suffix}`],
        ),
      ]),
      ...operations.flatMap(({ tags }) => tags.flatMap((tag) => [`${tag}Api`, `${tag}Service`, `${tag}Client`])),
      ...RUNTIME,
    ].map((name) => name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase());
    const taken = new Set(made);
    assert.deepEqual(
      titles.filter((title) => taken.has(title.toLowerCase())),
      [],
    );
    const names = [...titles, ...operations.map(({ operationId }) => operationId)].map((name) => name.toLowerCase());
    assert.equal(new Set(names).size, names.length, 'two names differ in case only');
  });

  test('names the schema of a body with Patch for the method PATCH, and with Input for other methods', async () => {
    const { json } = await app.request('/api/openapi.json');
    const bodies = operationsWithBody(json);
    for (const { method, schema, operationId } of bodies) {
      assert.match(schema, method === 'PATCH' ? /^[A-Z][A-Za-z]+Patch$/ : /^[A-Z][A-Za-z]+Input$/, operationId);
    }
    const sent = new Set(bodies.map(({ schema }) => schema));
    assert.deepEqual(
      Object.keys(json.components.schemas).filter((title) => /(?:Input|Patch)$/.test(title) && !sent.has(title)),
      [],
    );
  });
});

/** Names in the files that all generated clients share. */
const RUNTIME = [
  'Client',
  'Error',
  'Configuration',
  'ApiClient',
  'ApiException',
  'Request',
  'Response',
  'Model',
  'Models',
];

type Node = Readonly<Record<string, unknown>> & {
  readonly anyOf?: readonly { readonly type?: unknown }[];
  readonly oneOf?: readonly { readonly type?: unknown }[];
};

/** Calls `show` for every object of a document, with the path of the object. */
function walk(value: unknown, show: (node: Node, where: string) => void, where = '#'): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) show(value as Node, where);
  for (const [key, member] of Object.entries(value)) walk(member, show, `${where}/${key}`);
}
