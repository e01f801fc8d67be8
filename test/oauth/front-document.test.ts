import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

describe('the address of the issuer itself', () => {
  const app = useTestApp(embedded);

  test('answers with links that lead on', async () => {
    const { status, json, headers } = await app.request('/');
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(Object.keys(json.links), ['token_endpoint', 'metadata', 'jwks', 'management_api', 'reference']);
    for (const name of ['metadata', 'jwks', 'management_api', 'reference']) {
      const path = json.links[name].slice(app.issuer.length);
      assert.equal((await app.request(path)).status, 200, name);
    }
    const token = await app.request(json.links.token_endpoint.slice(app.issuer.length), { method: 'POST' });
    assert.equal(token.status, 415);
  });

  test('names no address that answers elsewhere', async () => {
    const database = await embedded.create();
    const apart = await startTestApp(database, { WRIT_INTERNAL_LISTEN: `127.0.0.1:${await freePort()}` });
    try {
      const { json } = await apart.request('/');
      assert.deepEqual(Object.keys(json.links), ['token_endpoint', 'metadata', 'jwks']);
    } finally {
      await apart.close();
      await database.drop();
    }
  });

  test('is read only', async () => {
    const { status, headers } = await app.request('/', { method: 'POST' });
    assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await app.request('/', { method: 'HEAD' })).status, 200);
  });

  test('has no other path beside it', async () => {
    for (const path of ['/index.html', '/auth', '/x/']) assert.equal((await app.request(path)).status, 404, path);
  });

  test('may have a path, with a final slash or without one', async () => {
    const database = await embedded.create();
    const issuer = 'https://id.example/auth';
    const below = await startTestApp(database, { WRIT_ISSUER: issuer });
    try {
      for (const path of ['/', '/auth', '/auth/']) {
        const { status, json } = await below.request(path);
        assert.deepEqual([status, json.links?.token_endpoint], [200, `${issuer}/oauth/token`], path);
      }
      assert.equal((await below.request('/authority')).status, 404);
    } finally {
      await below.close();
      await database.drop();
    }
  });
});
