import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { assertionReplaysTable } from '../../src/storage/assertion-replays-table.ts';
import type { ClientId } from '../../src/domain/ids.ts';
import { assertion, clientKey, lastRefusal, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const ISSUER = 'https://id.example';
const key = clientKey('ES256');

const start = (database: TestDatabase): Promise<TestApp> => startTestApp(database, { WRIT_ISSUER: ISSUER });

onEachDatabase('a used assertion', (kind) => {
  const many = kind.embedded ? 1 : 3;

  test('A-10 N-3 is refused at once, on other nodes and after a restart', async () => {
    const database = await kind.create();
    const first = await start(database);
    const nodes = [first, ...(await Promise.all(Array.from({ length: many - 1 }, () => start(database))))];
    const { clientId } = await registerWithKeys(first, 'Replayed', [key]);
    const value = assertion(key, clientId, ISSUER);
    assert.equal((await tokenByAssertion(first, value)).status, 200);
    for (const node of nodes) {
      const { status, json } = await tokenByAssertion(node, value);
      assert.equal(status, 401);
      assert.match(json.error_description, /^jti has been used already/);
      assert.equal(lastRefusal(node)['reason'], 'assertion_replay');
    }
    await Promise.all(nodes.map((node) => node.close()));
    const again = await start(database);
    assert.equal((await tokenByAssertion(again, value)).status, 401);
    await again.close();
    await database.drop();
  });

  test('A-11 N-3 gets one token when it is sent 64 times at once, over all nodes', async () => {
    const database = await kind.create();
    const first = await start(database);
    const nodes = [first, ...(await Promise.all(Array.from({ length: many - 1 }, () => start(database))))];
    const { clientId } = await registerWithKeys(first, 'Raced', [key]);
    for (let round = 0; round < 10; round += 1) {
      const value = assertion(key, clientId, ISSUER);
      const replies = await Promise.all(
        Array.from({ length: 64 }, (_, index) => tokenByAssertion(nodes[index % many] ?? first, value)),
      );
      const statuses = Object.groupBy(replies, ({ status }) => status);
      assert.deepEqual([statuses[200]?.length, statuses[401]?.length], [1, 63], `round ${round}`);
    }
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  test('A-12 N-4 consumes no jti of another client, even where client id and jti add up to the same text', async () => {
    const database = await kind.create();
    const app = await start(database);
    const keys = { a: clientKey('ES256'), ab: clientKey('ES256') };
    for (const [clientId, own] of Object.entries(keys)) {
      const registered = await registerWithKeys(app, `Named ${clientId}`, [own]);
      await app.knex.transaction(async (tables) => {
        await tables.raw('alter table credentials drop constraint if exists credentials_client_id_foreign');
        await tables.raw('alter table grants drop constraint if exists grants_client_id_foreign');
        for (const table of ['service_accounts', 'credentials', 'grants']) {
          await tables(table).where({ client_id: registered.clientId }).update({ client_id: clientId });
        }
      });
    }
    assert.equal((await tokenByAssertion(app, assertion(keys.a, 'a', ISSUER, { jti: 'bc' }))).status, 200);
    assert.equal((await tokenByAssertion(app, assertion(keys.ab, 'ab', ISSUER, { jti: 'c' }))).status, 200);
    assert.equal((await tokenByAssertion(app, assertion(keys.ab, 'ab', ISSUER, { jti: 'bc' }))).status, 200);
    await app.close();
    await database.drop();
  });

  test('A-15 is deleted only after every node refuses it as expired, also a node whose clock is behind', async () => {
    const database = await kind.create();
    const app = await start(database);
    const replays = assertionReplaysTable(app.knex);
    const client = 'sa_x' as ClientId;
    const minute = 60_000;
    const long = 61 * minute;
    await Promise.all(
      Array.from({ length: 2500 }, (_, index) => replays.consume(client, `old ${index}`, new Date(Date.now() - long))),
    );
    await replays.consume(client, 'young', new Date(Date.now() + minute));
    await replays.consume(client, 'by a clock behind', new Date(Date.now() - 2 * minute));
    let forgotten = 0;
    for (let some = -1; some !== 0; forgotten += some) some = await replays.deleteExpired();
    assert.equal(forgotten, 2500);
    assert.deepEqual(
      (await app.knex('assertion_replays').orderBy('jti').select('jti')).map(({ jti }) => jti),
      ['by a clock behind', 'young'],
    );
    await app.close();
    await database.drop();
  });

  test('A-11 is accepted once when one statement records it several times', async () => {
    const database = await kind.create();
    const app = await start(database);
    const replays = assertionReplaysTable(app.knex);
    const until = new Date(Date.now() + 60_000);
    // The first jti is recorded alone. The others arrive meanwhile, and one statement records them together.
    const used = await Promise.all(
      ['first', 'x', 'x', 'y', 'x', 'y'].map((jti) => replays.consume('sa_x', jti, until)),
    );
    assert.deepEqual(used, [true, true, false, true, false, false]);
    await app.close();
    await database.drop();
  });
});

describe('an assertion during an outage of the database', () => {
  test('A-14 gets no token when its use cannot be recorded', async () => {
    const database = await postgres18.create();
    const proxy = await startFaultProxy(database.url);
    const app = await startTestApp({ ...database, url: proxy.url }, { WRIT_ISSUER: ISSUER });
    const { clientId, clientSecret } = await registerWithKeys(app, 'Outage', [key], { secret: true });
    assert.equal((await tokenByAssertion(app, assertion(key, clientId, ISSUER))).status, 200);

    for (const fail of [proxy.cut, proxy.swallow]) {
      assert.equal((await app.token({ clientId, clientSecret })).status, 200);
      fail();
      const jti = randomUUID();
      const started = performance.now();
      const { status, json, headers } = await tokenByAssertion(app, assertion(key, clientId, ISSUER, { jti }));
      assert.equal(status, 503, fail.name);
      assert.equal(json.error, 'temporarily_unavailable');
      assert.ok(headers.get('retry-after'));
      assert.ok(performance.now() - started < 12_000);
      // The remembered account still gets a token by its secret.
      const served = await app.token({ clientId, clientSecret });
      assert.equal(served.status, 200, JSON.stringify(app.log().slice(-3)));
      proxy.heal();
      const back = async (): Promise<boolean> =>
        (await tokenByAssertion(app, assertion(key, clientId, ISSUER))).status === 200;
      await eventually(20_000, back, 'assertions were not accepted again in time');
    }
    await app.close();
    await proxy.close();
    await database.drop();
  });
});
