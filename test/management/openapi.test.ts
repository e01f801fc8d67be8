import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

describe('the OpenAPI document', () => {
  const app = useTestApp(embedded);

  test('has nothing that a linter of OpenAPI documents finds fault with', async () => {
    const { status, text } = await app.request('/api/openapi.json');
    assert.equal(status, 200);
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config });
    assert.deepEqual(
      problems
        // The server under test is on loopback, and the document itself is refused to nobody.
        .filter(({ ruleId }) => ruleId !== 'no-server-example.com')
        .filter(({ location }) => location[0]?.pointer !== '#/paths/~1api~1openapi.json/get/responses')
        .map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`),
      [],
    );
  });

  test('says of every operation who may call it, and names its schemas', async () => {
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
    const manage = 'writ.serviceaccounts.manage';
    const view = 'writ.serviceaccounts.view';
    assert.deepEqual(operations.toSorted(), [
      'delete /api/companies/{companyId}/service-accounts/{clientId}/permissions/{permission}: writ.serviceaccounts.manage',
      'delete /api/companies/{companyId}/service-accounts/{clientId}: writ.serviceaccounts.manage',
      'delete /api/companies/{companyId}: writ.companies.manage',
      `delete /api/service-accounts/{clientId}/permissions/{permission}: ${manage}`,
      `delete /api/service-accounts/{clientId}: ${manage}`,
      'get /api/audit-events: writ.audit.view',
      'get /api/companies/{companyId}/audit-events: writ.audit.view',
      `get /api/companies/{companyId}/service-accounts/{clientId}: ${view}`,
      `get /api/companies/{companyId}/service-accounts: ${view}`,
      'get /api/companies/{companyId}: writ.companies.view',
      'get /api/companies: writ.companies.view',
      'get /api/openapi.json: ',
      'get /api/self: ',
      `get /api/service-accounts/{clientId}: ${view}`,
      `get /api/service-accounts: ${view}`,
      'get /api/version: ',
      `patch /api/companies/{companyId}/service-accounts/{clientId}: ${manage}`,
      'patch /api/companies/{companyId}: writ.companies.manage',
      `patch /api/service-accounts/{clientId}: ${manage}`,
      `post /api/companies/{companyId}/service-accounts: ${manage}`,
      'post /api/companies: writ.companies.manage',
      `post /api/service-accounts: ${manage}`,
      `put /api/companies/{companyId}/service-accounts/{clientId}/permissions/{permission}: ${manage}`,
      `put /api/service-accounts/{clientId}/permissions/{permission}: ${manage}`,
    ]);
    const references = [...JSON.stringify(json).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) =>
      String(name),
    );
    for (const name of references) assert.ok(name in json.components.schemas, name);
  });
});
