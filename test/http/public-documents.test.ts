import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROOT } from '../support/config.ts';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { eventually } from '../support/eventually.ts';
import { useTestApp } from '../support/test-app.ts';

describe('public documents', () => {
  const app = useTestApp(embedded);

  for (const path of [
    '/api/openapi.json',
    '/api/reference',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-protected-resource/api',
    '/oauth/status-lists',
    '/oauth/status-lists/0',
  ]) {
    test(`${path} has an ETag, and is not sent again to a client that has it`, async () => {
      await eventually(5000, async () => (await app.request(path)).status === 200);
      const { headers, text } = await rawRequest(app.url + path);
      const etag = String(headers['etag']);
      assert.match(etag, /^"[\w.-]+"$/);
      assert.match(String(headers['cache-control']), /^public, max-age=\d+$/);
      assert.equal(headers['content-length'], String(Buffer.byteLength(text)));
      const again = await rawRequest(app.url + path, { headers: { 'If-None-Match': etag } });
      assert.deepEqual([again.status, again.text], [304, '']);
      const other = await rawRequest(app.url + path, { headers: { 'If-None-Match': '"other"' } });
      assert.deepEqual([other.status, other.text], [200, text]);
      const head = await rawRequest(app.url + path, { method: 'HEAD' });
      assert.deepEqual([head.status, head.text, head.headers['etag']], [200, '', etag]);
    });
  }

  test('/metrics answers HEAD, refuses POST, and is rendered once a second at most', async () => {
    const head = await rawRequest(`${app.url}/metrics`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    const post = await rawRequest(`${app.url}/metrics`, { method: 'POST' });
    assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD']);
    const issued = async (): Promise<string | undefined> =>
      /^writ_tokens_issued_total.* (\d+)$/m.exec((await app.request('/metrics')).text)?.[1];
    // Several requests within a second get one rendering, which lacks the events between them.
    let repeated = 0;
    for (let round = 0; round < 20; round += 1) {
      const before = await issued();
      assert.equal((await app.token(ROOT)).status, 200);
      if ((await issued()) === before) repeated += 1;
    }
    assert.ok(repeated > 0);
    const total = Number(/^writ_tokens_issued_total.* (\d+)$/m.exec(await app.metrics())?.[1]);
    await eventually(5000, async () => Number(await issued()) === total);
  });
});
