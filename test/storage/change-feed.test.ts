import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { random } from '../../src/start/random.ts';
import { CHANNEL, type ChangeFeed, type ChangeFeedOptions, createChangeFeed } from '../../src/storage/change-feed.ts';
import { systemClock } from '../../src/start/system-clock.ts';
import { registerWithKeys } from '../support/assertions.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { type DeafPooler, startDeafPooler } from '../support/deaf-pooler.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';

describe('a change feed behind a pooler that gives connections out for one transaction each', () => {
  const issuer = { WRIT_ISSUER: 'https://pooled.example' };
  let database: TestDatabase;
  let pooler: DeafPooler;
  before(async () => {
    database = await postgres18.create();
    pooler = await startDeafPooler(database.url);
  });
  after(async () => {
    await pooler.close();
    await database.drop();
  });

  test('stops the start with the name of the setting that helps', async () => {
    await assert.rejects(startTestApp({ ...database, url: pooler.url }, issuer), {
      name: 'UnsuitableDatabaseError',
      message: /would not hear of changes.*WRIT_DATABASE_LISTEN_URL/s,
    });
  });

  test('works when the feed has a connection of its own', async () => {
    const one = await startTestApp(database, issuer);
    const two = await startTestApp(
      { ...database, url: pooler.url },
      { ...issuer, WRIT_DATABASE_LISTEN_URL: database.url },
    );
    const account = await registerWithKeys(one, 'Pooled', [], { secret: true });
    assert.equal((await two.token(account)).status, 200);
    await one.api('PATCH', `/api/service-accounts/${account.clientId}`, { state: 'disabled' });
    await eventually(2000, async () => (await two.token(account)).status === 401);
    await Promise.all([one.close(), two.close()]);
  });

  test('counts as cut off when it goes deaf later, so that changes still act', async () => {
    pooler.deaf = false;
    const one = await startTestApp(database, issuer);
    const two = await startTestApp({ ...database, url: pooler.url }, issuer);
    const account = await registerWithKeys(one, 'Deaf', [], { secret: true });
    assert.equal((await two.token(account)).status, 200);
    pooler.deaf = true;
    await one.api('PATCH', `/api/service-accounts/${account.clientId}`, { state: 'disabled' });
    await eventually(15_000, async () => (await two.token(account)).status === 401);
    await eventually(15_000, async () => (await two.request('/health/ready')).json.status === 'degraded');
    const lost = two.log().find(({ event }) => event === 'database.lost');
    assert.match(String(lost?.['reason']), /does not hear/);
    pooler.deaf = false;
    await eventually(15_000, async () => (await two.request('/health/ready')).json.status === 'ready');
    await Promise.all([one.close(), two.close()]);
  });
});

describe('a change feed', () => {
  let database: TestDatabase;
  let announcer: pg.Client;
  before(async () => {
    database = await postgres18.create();
    announcer = new pg.Client(database.url);
    await announcer.connect();
  });
  after(async () => {
    await announcer.end();
    await database.drop();
  });

  const announce = (payload: string): Promise<unknown> =>
    announcer.query('select pg_notify($1, $2)', [CHANNEL, payload]);

  const feeds = new Set<ChangeFeed>();
  // A feed that a failed test left behind would keep this process from ending.
  after(() => Promise.allSettled([...feeds].map((feed) => feed.close())));

  async function listen(url: string, options: Partial<ChangeFeedOptions> = {}): Promise<ChangeFeed> {
    const feed = await createChangeFeed({
      url,
      listener: { changed: () => {}, missed: () => {} },
      announce,
      newId: random.id,
      clock: systemClock,
      onReached: () => {},
      onAnswer: () => {},
      onTrouble: () => {},
      ...options,
    });
    feeds.add(feed);
    return feed;
  }

  test('that went deaf reports missed announcements since before it went deaf, not since it noticed', async () => {
    const pooler = await startDeafPooler(database.url);
    pooler.deaf = false;
    const troubles: string[] = [];
    const missed: number[] = [];
    const reached: number[] = [];
    const feed = await listen(pooler.url, {
      listener: { changed: () => {}, missed: (heardUntil) => missed.push(heardUntil) },
      onTrouble: ({ reason }) => troubles.push(reason),
      onReached: (since) => reached.push(since),
    });
    const deafSince = performance.now();
    pooler.deaf = true;
    await eventually(20_000, () => troubles.length > 0);
    assert.match(String(troubles[0]), /does not hear/);
    // The database answered all the time.
    assert.ok(feed.lastAnswer() > deafSince);
    pooler.deaf = false;
    await eventually(20_000, () => missed.length > 0);
    assert.ok(Number(missed[0]) < deafSince, `${missed[0]} is not before ${deafSince}`);
    // The database answered the connections of the pool, too: none of them counts as silent.
    assert.ok(reached.length > 1 && reached.every((since) => since < deafSince), reached.join());
    await feed.close();
    await pooler.close();
  });

  test('does not count as deaf when an announcement arrives late', async () => {
    const proxy = await startFaultProxy(database.url);
    let calls = 0;
    const feed = await listen(proxy.url, {
      async announce(payload) {
        calls += 1;
        // The announcement arrives late, and still before the answer to a later question.
        proxy.swallow();
        setTimeout(proxy.heal, 1500);
        await announce(payload);
      },
    });
    assert.equal(calls, 1);
    await feed.close();
    await proxy.close();
  });

  test('reports that the database can be reached again, and since when it may have been unreachable', async () => {
    const proxy = await startFaultProxy(database.url);
    const reached: number[] = [];
    const feed = await listen(proxy.url, { onReached: (lastAnswer) => reached.push(lastAnswer) });
    assert.equal(reached.length, 1);
    const lost = performance.now();
    proxy.lose();
    await eventually(20_000, () => reached.length > 1);
    // A connection that answered just before the loss is in doubt, too: no connection has answered since.
    assert.ok(Number(reached[1]) >= lost, `${reached[1]} is before ${lost}`);
    await feed.close();
    await proxy.close();
  });
});

describe('a foreign message on the channel of announcements', () => {
  const app = useTestApp(postgres18);
  let stranger: pg.Client;
  before(async () => {
    stranger = new pg.Client(app.knex.client.connectionSettings.connectionString);
    // The database is dropped before this connection ends.
    stranger.on('error', () => {});
    await stranger.connect();
  });
  after(() => stranger.end());

  let registered = 0;
  const refusedAfter = async (target: TestApp, payload: string): Promise<void> => {
    const account = await registerWithKeys(target, `Announced ${(registered += 1)}`, [], { secret: true });
    assert.equal((await target.token(account)).status, 200);
    // The test changes the row without an announcement: only the foreign message can tell the server.
    await stranger.query(`update service_accounts set state = 'disabled' where client_id = $1`, [account.clientId]);
    await stranger.query('select pg_notify($1, $2)', ['writ_changes', payload]);
    await eventually(10_000, async () => (await target.token(account)).status === 401);
  };

  for (const payload of [
    'null',
    '',
    '{',
    '[]',
    '5',
    '"account"',
    '{}',
    '{"kind":"account"}',
    '{"kind":"account","clientId":5}',
    '{"kind":"account","clientId":{"toString":1}}',
    `{"kind":"everyone","company":"${'x'.repeat(64)}"}`,
    '{"kind":"of a later release"}',
    '{"kind":"call"}',
    'x'.repeat(7000),
  ]) {
    test(`makes a node read everything anew: ${payload.slice(0, 50) || 'an empty text'}`, () =>
      refusedAfter(app, payload));
  }

  test('is logged as a warning, but not each time', () => {
    const warnings = app.log().filter(({ event }) => event === 'change.unreadable');
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0]?.['level'], 'warn');
  });

  test('has no effect when it is the call of another node to itself', async () => {
    const account = await registerWithKeys(app, 'Called', [], { secret: true });
    await stranger.query('select pg_notify($1, $2)', ['writ_changes', '{"kind":"call","call":"of another node"}']);
    assert.equal((await app.token(account)).status, 200);
  });
});
