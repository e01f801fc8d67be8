import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

test('the OpenAPI document describes every operation, by schemas that have names', async () => {
  const database = await embedded.create();
  const app = await startTestApp(database);
  try {
    const { status, json } = await app.request('/api/openapi.json');
    assert.equal(status, 200);
    assert.equal(json.openapi, '3.1.0');
    assert.deepEqual(
      Object.entries<object>(json.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method} ${path}`),
      ),
      [
        'post /api/service-accounts',
        'get /api/service-accounts',
        'get /api/service-accounts/{clientId}',
        'delete /api/service-accounts/{clientId}',
        'get /api/openapi.json',
      ],
    );
    const { post } = json.paths['/api/service-accounts'];
    assert.deepEqual(post.security, [{ accessToken: ['writ.serviceaccounts.manage'] }]);
    assert.deepEqual(post.requestBody.content['application/json'].schema, {
      $ref: '#/components/schemas/NewServiceAccount',
    });
    const references = [...JSON.stringify(json).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) =>
      String(name),
    );
    for (const name of references) assert.ok(name in json.components.schemas, name);
  } finally {
    await app.close();
    await database.drop();
  }
});
