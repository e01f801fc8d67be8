import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange } from '../support/accounts.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { assertRefused } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase, type TestDatabase } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { written } from '../support/written.ts';

const ACCOUNTS = '/api/service-accounts';
const PAUSE = 50;

onEachDatabase('the uses of credentials', (kind) => {
  let database: TestDatabase;
  let app: TestApp;
  let now = Date.now();
  before(async () => {
    database = await kind.create();
    app = await startTestApp(
      database,
      { WRIT_TOKEN_TTL: '86400' },
      { clock: () => new Date(now), activityPause: PAUSE },
    );
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  async function register(name: string, credentials: object[]): Promise<Record<string, string>> {
    const { json, status, text } = await app.api('POST', ACCOUNTS, { name, permissions: ['a'], credentials });
    assert.equal(status, 201, text);
    return { ...json, path: `${ACCOUNTS}/${json.clientId}/credentials` };
  }

  test('of an API key are introspections by its resource server and exchanges', async () => {
    const { clientId = '', clientSecret = '' } = await register('An API that asks', [{ type: 'client_secret' }]);
    const identifier = 'https://uses.example.com';
    await app.api('POST', '/api/resource-servers', {
      identifier,
      name: 'Uses',
      permissions: [{ name: 'uses.see' }],
      introspectedBy: [clientId],
    });
    const { path = '', ...owner } = await register('Has an API key', []);
    await app.api('PUT', `${ACCOUNTS}/${owner['clientId']}/permissions/uses.see`);
    const { json } = await app.api('POST', path, { type: 'api_key', audience: identifier });
    const lastUse = async (): Promise<unknown> => (await app.api('GET', `${path}/${json.credentialId}`)).json.uses;
    const ask = (client: { clientId: string; clientSecret: string }): Promise<unknown> =>
      app.asClient('/oauth/introspect', client, { token: json.clientSecret });
    // An introspection by another client is no use.
    await ask(ROOT);
    await written(PAUSE, app);
    assert.deepEqual(await lastUse(), []);
    await ask({ clientId, clientSecret });
    await exchange(app, json.clientSecret);
    await written(PAUSE, app);
    assert.deepEqual(await lastUse(), [{ day: new Date(now).toISOString().slice(0, 10), count: 2 }]);
  });

  test('are counted by day, and the last use is shown with its time and address', async () => {
    const key = clientKey('ES256');
    const { path = '', ...account } = await register('Used', [
      { type: 'client_secret' },
      { type: 'public_key', publicKey: key.jwk },
    ]);
    const { clientId = '', clientSecret = '' } = account;
    const all = (await app.api('GET', path)).json;
    const secret = all.find(({ type }: { type: string }) => type === 'client_secret');
    assert.deepEqual([secret.lastUsedAt, secret.lastUsedFrom], [null, null]);
    assert.equal((await app.api('GET', `${ACCOUNTS}/${clientId}`)).json.lastUsedAt, null);
    const day = new Date(now).toISOString().slice(0, 10);
    for (let round = 0; round < 3; round += 1) await app.token({ clientId, clientSecret });
    // A refused request is no use.
    await app.token({ clientId, clientSecret: 'wrong' });
    await app.token({ clientId, clientSecret }, { scope: 'not-held' });
    await written(PAUSE, app);
    now += 86_400_000 / 2;
    const later = new Date(now).toISOString();
    await app.token({ clientId, clientSecret });
    const value = assertion(key, clientId, app.issuer, {
      iat: Math.floor(now / 1000),
      exp: Math.floor(now / 1000) + 60,
    });
    // The library measures the assertion by the real time, so its answer is left open.
    await tokenByAssertion(app, value);
    await written(PAUSE, app);

    const single = (await app.api('GET', `${path}/${secret.credentialId}`)).json;
    assert.equal(single.lastUsedAt, later);
    assert.equal(single.lastUsedFrom, '127.0.0.1');
    const counted = Object.fromEntries(single.uses.map((use: { day: string; count: number }) => [use.day, use.count]));
    const sum = Object.values<number>(counted).reduce((all, one) => all + one, 0);
    assert.equal(sum, 4);
    assert.ok(counted[day] >= 3, JSON.stringify(counted));
    const account2 = (await app.api('GET', `${ACCOUNTS}/${clientId}`)).json;
    assert.deepEqual([account2.lastUsedAt, account2.lastLogin], [later, later]);
    const listed = (await app.api('GET', `${ACCOUNTS}?slug=used`)).json;
    assert.equal(listed[0].lastUsedAt, later);
  });

  test('find accounts by their last use, and credentials that expire soon', async () => {
    const used = await register('In use', [{ type: 'client_secret' }]);
    await register('Never used', [{ type: 'client_secret', expiresIn: 3600 }]);
    await app.token({ clientId: used['clientId'] ?? '', clientSecret: used['clientSecret'] ?? '' });
    await written(PAUSE, app);
    const names = async (query: string): Promise<string[]> => {
      const { json, status, text } = await app.api('GET', `${ACCOUNTS}?${query}`);
      assert.equal(status, 200, text);
      return json.map(({ name }: { name: string }) => name);
    };
    const at = (milliseconds: number): string => new Date(now + milliseconds).toISOString();
    const unused = await names(`lastUsedBefore=${at(-1000)}`);
    assert.ok(unused.includes('Never used') && !unused.includes('In use'));
    assert.ok((await names(`lastUsedBefore=${at(1000)}`)).includes('In use'));
    assert.deepEqual(await names(`expiringBefore=${at(3_601_000)}`), ['Never used']);
    assert.deepEqual(await names(`expiringBefore=${at(3_599_000)}`), []);
    for (const wrong of ['yesterday', '2026-13-01T00:00:00Z', '2026-02-30', '1']) {
      assertRefused(app, await app.api('GET', `${ACCOUNTS}?lastUsedBefore=${wrong}`), 400, 'invalid_query', wrong);
    }
  });

  test('prevent the deletion with ifUnusedFor of a credential that is in use', async () => {
    const { path = '', clientId = '', clientSecret = '' } = await register('Rotating', [{ type: 'client_secret' }]);
    const [old] = (await app.api('GET', path)).json;
    const single = `${path}/${old.credentialId}`;
    await app.api('POST', `${single}/rotate`, {});
    await app.token({ clientId, clientSecret });
    await written(PAUSE, app);
    const refused = await app.api('DELETE', `${single}?ifUnusedFor=3600`);
    assertRefused(app, refused, 409, 'credential_in_use');
    assert.equal(refused.json.detail, `It was used at ${new Date(now).toISOString()} from 127.0.0.1`);
    assertRefused(app, await app.api('DELETE', `${single}?ifUnusedFor=59`), 400, 'invalid_query');
    now += 3_601_000;
    assert.equal((await app.api('DELETE', `${single}?ifUnusedFor=3600`)).status, 204);
    assert.notEqual((await app.api('GET', `${ACCOUNTS}/${clientId}`)).json.lastUsedAt, null);
  });

  test('of two nodes add up, also those that a node records when it stops', async () => {
    if (kind.embedded) return;
    const { path = '', clientId = '', clientSecret = '' } = await register('Twice', [{ type: 'client_secret' }]);
    const other = await startTestApp(database, {}, { clock: () => new Date(now), activityPause: 3_600_000 });
    const both = [app, other, app, other, other];
    for (const node of both) assert.equal((await node.token({ clientId, clientSecret })).status, 200);
    await other.close();
    await written(PAUSE, app);
    const [{ credentialId }] = (await app.api('GET', path)).json;
    const { uses } = (await app.api('GET', `${path}/${credentialId}`)).json;
    assert.deepEqual(
      uses.map(({ count }: { count: number }) => count),
      [5],
    );
  });
});
