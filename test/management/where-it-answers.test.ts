import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { ROOT } from '../support/config.ts';
import { embedded } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { startTestApp } from '../support/test-app.ts';

describe('the management API', () => {
  test('answers at its own address with metrics and health, and the token endpoint does not', async () => {
    const database = await embedded.create();
    const app = await startTestApp(database, { WRIT_INTERNAL_LISTEN: `127.0.0.1:${await freePort()}` });
    try {
      assert.notEqual(app.internalUrl, app.url);
      const bearer = await app.rootToken();
      const there = (path: string): Promise<Response> =>
        fetch(app.internalUrl + path, { headers: { Authorization: `Bearer ${bearer}` } });
      const here = (path: string): ReturnType<typeof app.request> =>
        app.request(path, { headers: { Authorization: `Bearer ${bearer}` } });
      for (const path of ['/api/self', '/api/openapi.json', '/metrics', '/health/live', '/health/ready']) {
        assert.equal((await there(path)).status, 200, path);
        assert.equal((await here(path)).status, 404, path);
      }
      for (const path of ['/.well-known/jwks.json', '/.well-known/oauth-protected-resource/api']) {
        assert.equal((await here(path)).status, 200, path);
        assert.equal((await there(path)).status, 404, path);
      }
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: ROOT.clientId,
        client_secret: ROOT.clientSecret,
      });
      for (const path of ['/oauth/token', '/api/m2m/oauth/token']) {
        assert.equal((await app.request(path, { method: 'POST', body })).status, 200, path);
      }
      assert.equal((await fetch(`${app.internalUrl}/oauth/token`, { method: 'POST', body })).status, 404);
    } finally {
      await app.close();
      await database.drop();
    }
  });

  test('releases both addresses when one of them is already taken', async () => {
    const database = await embedded.create();
    const taken = await startTestApp(database);
    const port = await freePort();
    const other = await embedded.create();
    const settings = { PORT: String(port), WRIT_INTERNAL_LISTEN: taken.url.slice('http://'.length) };
    await assert.rejects(startTestApp(other, settings), { code: 'EADDRINUSE' });
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health/live`));
    await taken.close();
    await database.drop();
    await other.drop();
  });

  test('requires a Client-key if keys are configured, and the token endpoint does not', async () => {
    const database = await embedded.create();
    const keys = ['the-first-client-key', 'k2'];
    const app = await startTestApp(database, { WRIT_CLIENT_KEYS: keys.join(',') });
    try {
      const list = async (headers: Record<string, string>): Promise<Reply> => {
        const bearer = await app.rootToken();
        const init = { headers: { Authorization: `Bearer ${bearer}`, ...headers } };
        return await app.request('/api/companies', init);
      };
      for (const key of keys) assert.equal((await list({ 'Client-key': key })).status, 200);
      for (const headers of [{}, { 'Client-key': 'x' }, { 'Client-key': '' }, { 'Client-key': keys.join(',') }]) {
        const reply = await list(headers);
        assert.equal(reply.status, 401);
        assert.match(reply.json.detail, /Client-key/);
        assert.doesNotMatch(`${reply.text} ${reply.headers.get('www-authenticate')}`, /token/i);
        const line = app.log().findLast(({ event }) => event === 'management.refused');
        assert.equal(line?.['reason'], 'client_key');
      }
      assert.equal(JSON.stringify(app.log()).includes(keys[0] ?? ''), false);
      assert.equal((await app.request('/api/openapi.json')).status, 401);
      assert.equal((await app.request('/api/companies/%01')).status, 401);
      assert.equal((await app.request('/health/ready')).status, 200);
    } finally {
      await app.close();
      await database.drop();
    }
  });
});
