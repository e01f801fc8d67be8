import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { Reply } from '../support/api-contract.ts';
import { CHANNEL } from '../../src/storage/change-feed.ts';
import { clientKey, registerWithKeys, tokenByAssertion, assertion, lastRefusal } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const ISSUER = 'https://id.example';

describe('two nodes on one database', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let one: TestApp;
  let two: TestApp;
  before(async () => {
    database = await postgres18.create();
    proxy = await startFaultProxy(database.url);
    one = await startTestApp(database, { WRIT_ISSUER: ISSUER });
    two = await startTestApp({ ...database, url: proxy.url }, { WRIT_ISSUER: ISSUER });
  });
  after(async () => {
    proxy.heal();
    await Promise.all([one.close(), two.close()]);
    await proxy.close();
    await database.drop();
  });

  /** Counts the statements that read an account: background work sends other statements. */
  const looks = (app: TestApp): number => app.statements().filter((sql) => sql.includes('account_credentials(')).length;

  async function outcome(app: TestApp, name: string): Promise<number> {
    const line = new RegExp(`^writ_account_cache_total\\{outcome="${name}"\\} (\\d+)$`, 'm');
    return Number(line.exec(await app.metrics())?.[1] ?? 0);
  }

  test('a new account gets tokens from both nodes at once', async () => {
    const key = clientKey('ES256');
    for (let round = 0; round < 5; round += 1) {
      const account = await registerWithKeys(one, `New ${round}`, [key], { secret: true });
      assert.equal((await two.token(account)).status, 200);
      assert.equal((await tokenByAssertion(two, assertion(key, account.clientId, ISSUER))).status, 200);
    }
  });

  test('the change of an account is announced to other nodes, and the registration of an account is not', async () => {
    const listening = new pg.Client(database.url);
    await listening.connect();
    const heard: unknown[] = [];
    listening.on('notification', ({ payload }) => heard.push(JSON.parse(payload ?? '')));
    await listening.query(`listen ${CHANNEL}`);
    const { clientId } = await registerWithKeys(one, 'Unheard of', [clientKey('ES256')], { secret: true });
    await listening.query('select 1');
    assert.deepEqual(heard, []);
    await one.api('PATCH', `/api/service-accounts/${clientId}`, { name: 'Heard of' });
    // PostgreSQL delivers the notifications of earlier commits before it answers a query.
    await listening.query('select 1');
    assert.deepEqual(heard, [{ kind: 'account', clientId }]);
    await listening.end();
  });

  test('B-27 an account that is deleted on one node is refused by the other node within a second', async () => {
    for (let round = 0; round < 5; round += 1) {
      const account = await registerWithKeys(one, `Gone ${round}`, [], { secret: true });
      assert.equal((await two.token(account)).status, 200);
      assert.equal((await one.api('DELETE', `/api/service-accounts/${account.clientId}`)).status, 204);
      assert.equal((await one.token(account)).status, 401);
      await eventually(1000, async () => (await two.token(account)).status === 401);
      assert.equal(lastRefusal(two)['reason'], 'account_unknown');
    }
  });

  test('a node does not ask the database about the secret of a remembered account', async () => {
    const account = await registerWithKeys(one, 'Known', [], { secret: true });
    await two.token(account);
    const before = { looks: looks(two), hits: await outcome(two, 'hit') };
    for (let round = 0; round < 50; round += 1) assert.equal((await two.token(account)).status, 200);
    const hits = (await outcome(two, 'hit')) - before.hits;
    // On a slow machine, what a node remembers may become too old, and the node reads the account again.
    assert.ok(hits >= 25, `${hits} of 50`);
    assert.equal(looks(two) - before.looks, 50 - hits);
  });

  test('B-27 A-29 changes of roles, groups, resource servers and credentials act on the other node within a second', async () => {
    const api = async (method: string, path: string, body?: object): Promise<Reply> => {
      const reply = await one.api(method, path, body);
      assert.ok(reply.status < 300, reply.text);
      return reply;
    };
    await makeCompany(one, 'shared');
    const company = '/api/companies/shared';
    const identifier = 'api://shared/x';
    const server = await api('POST', `${company}/resource-servers`, {
      identifier,
      name: 'X',
      permissions: [{ name: 'x' }, { name: 'y' }, { name: 'z' }],
    });
    await api('POST', `${company}/roles`, { roleId: 'r', name: 'R', permissions: ['x'] });
    const key = clientKey('ES256');
    const { json: account } = await api('POST', `${company}/service-accounts`, {
      name: 'Shares',
      roles: ['r'],
      credentials: [{ type: 'client_secret' }, { type: 'public_key', publicKey: key.jwk }],
    });
    const ask = (): Promise<Reply> => two.token(account);
    const byKey = (): Promise<Reply> => tokenByAssertion(two, assertion(key, account.clientId, ISSUER));
    assert.equal((await ask()).json.scope, 'x');
    await api('PATCH', `${company}/roles/r`, { permissions: ['x', 'y'] });
    await eventually(1000, async () => (await ask()).json.scope === 'x y');
    await api('POST', `${company}/groups`, {
      groupId: 'g',
      name: 'G',
      permissions: ['z'],
      members: [account.clientId],
    });
    await eventually(1000, async () => (await ask()).json.scope === 'x y z');
    await api('PATCH', `${company}/groups/g`, { permissions: ['z@shop'] });
    await eventually(1000, async () => (await ask()).json.scope === 'x y z@shop');
    await api('DELETE', `${company}/groups/g/members/${account.clientId}`);
    await eventually(1000, async () => (await ask()).json.scope === 'x y');
    await api('PATCH', String(server.headers.get('location')), { tokenTtl: 77 });
    await eventually(1000, async () => (await ask()).json.expires_in === 77);
    assert.equal((await byKey()).status, 200);
    for (const { credentialId, type } of account.credentials) {
      const path = `${company}/service-accounts/${account.clientId}/credentials/${credentialId}`;
      const use = type === 'client_secret' ? ask : byKey;
      await api('PATCH', path, { state: 'disabled' });
      await eventually(1000, async () => (await use()).status === 401);
      await api('PATCH', path, { state: 'enabled' });
      await eventually(1000, async () => (await use()).status === 200);
      await api('DELETE', path);
      await eventually(1000, async () => (await use()).status === 401);
    }
  });

  test('B-25 a mistyped secret is refused without a question to the database', async () => {
    const account = await registerWithKeys(one, 'Mistyped', [], { secret: true });
    const { clientSecret } = account;
    const other = clientSecret.at(-1) === 'A' ? 'B' : 'A';
    const before = looks(two);
    for (const [clientId, secret] of [
      [account.clientId, clientSecret.slice(0, -1) + other],
      [account.clientId, clientSecret.slice(0, -1)],
      [account.clientId, `${clientSecret}A`],
      ['sa_nobody_ever_seen', clientSecret.slice(0, -1) + other],
    ] as const) {
      for (let round = 0; round < 5; round += 1) {
        assert.equal((await two.token({ clientId, clientSecret: secret })).status, 401);
        assert.equal(lastRefusal(two)['reason'], 'secret_mistyped');
        assert.equal(lastRefusal(two)['clientId'], clientId);
      }
    }
    // One question is allowed: on a slow machine, what the node remembers of an account may become too old.
    assert.ok(looks(two) - before <= 1);
    assert.equal((await two.token(account)).status, 200);
  });

  test('B-27 a change acts in time on a node whose database connection was just cut', async () => {
    const account = await registerWithKeys(one, 'Cut off', [], { secret: true });
    assert.equal((await two.token(account)).status, 200);
    proxy.cut();
    assert.equal((await one.api('DELETE', `/api/service-accounts/${account.clientId}`)).status, 204);
    proxy.heal();
    await eventually(1500, async () => (await two.token(account)).status === 401);
  });

  for (const failure of ['cut', 'swallow'] as const) {
    test(`a node without its database (${failure}) serves remembered accounts, and answers 503 for others`, async () => {
      const account = await registerWithKeys(one, `Away ${failure}`, [], { secret: true });
      assert.equal((await two.token(account)).status, 200);
      const later = await registerWithKeys(one, `Later ${failure}`, [], { secret: true });
      proxy[failure]();
      // After this time, the account is older than the second in which it counts as fresh.
      await setTimeout(1200);
      const started = performance.now();
      for (let round = 0; round < 5; round += 1) assert.equal((await two.token(account)).status, 200);
      assert.ok(performance.now() - started < 3000);
      const { status, json, headers } = await two.token(later);
      assert.equal(status, 503);
      assert.equal(json.error, 'temporarily_unavailable');
      assert.equal(headers.get('retry-after'), '1');
      assert.equal((await two.token({ ...account, clientSecret: 'wrong' })).status, 401);
      const degraded = await two.request('/health/ready');
      assert.deepEqual([degraded.status, degraded.json], [200, { status: 'degraded' }]);
      assert.match(await two.metrics(), /^writ_degraded 1$/m);

      proxy.heal();
      await eventually(15_000, async () => (await two.token(later)).status === 200);
      await eventually(15_000, async () => (await two.request('/health/ready')).json.status === 'ready');
    });
  }

  test('a node without its database serves remembered accounts for no longer than WRIT_MAX_STALENESS', async () => {
    const short = await startTestApp({ ...database, url: proxy.url }, { WRIT_ISSUER: ISSUER, WRIT_MAX_STALENESS: '2' });
    const account = await registerWithKeys(one, 'Short', [], { secret: true });
    assert.equal((await short.token(account)).status, 200);
    proxy.cut();
    assert.equal((await short.token(account)).status, 200);
    await eventually(6000, async () => (await short.token(account)).status === 503);
    const unavailable = await short.request('/health/ready');
    assert.deepEqual([unavailable.status, unavailable.json], [503, { status: 'unavailable' }]);
    proxy.heal();
    await eventually(10_000, async () => (await short.token(account)).status === 200);
    await short.close();
  });
});
