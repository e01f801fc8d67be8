import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { apiToken } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { type Reply, startTestApp, type TestApp } from '../support/test-app.ts';

describe('an access token at the management API', () => {
  let database: TestDatabase;
  let app: TestApp;
  let now = Date.now();
  before(async () => {
    database = await embedded.create();
    app = await startTestApp(database, { WRIT_TOKEN_TTL: '60' }, { clock: () => new Date(now) });
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  // The library has a clock of its own.
  beforeEach(() => {
    now = Date.now();
  });

  const self = (bearer: string): Promise<Reply> => app.api('GET', '/api/self', undefined, bearer);

  function assertInvalid(reply: Reply): void {
    assert.equal(reply.status, 401, reply.text);
    const line = app.log().findLast(({ requestId }) => requestId === reply.json.requestId);
    assert.equal(line?.['reason'], 'token_invalid');
  }

  test('ends when it says, however often it was good before', async () => {
    const bearer = await apiToken(app, ROOT);
    for (const later of [0, 30_000, 28_000]) {
      now += later;
      assert.equal((await self(bearer)).status, 200);
    }
    now += 4000;
    assertInvalid(await self(bearer));
  });

  test('is no other one, however like one that was good', async () => {
    const bearer = await apiToken(app, ROOT);
    assert.equal((await self(bearer)).status, 200);
    const [header = '', payload = '', signature = ''] = bearer.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const longer = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 60 })).toString('base64url');
    for (const other of [`${header}.${longer}.${signature}`, bearer.slice(0, -2), `${bearer}A`]) {
      assertInvalid(await self(other));
    }
    assert.equal((await self(bearer)).status, 200);
  });
});
