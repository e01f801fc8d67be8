import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Knex } from 'knex';
import { random } from '../../src/start/random.ts';
import { openPostgresDatabase } from '../../src/storage/open-postgres-database.ts';
import { systemClock } from '../../src/start/system-clock.ts';
import { assertion, clientKey, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

describe('connections to the database that have fallen silent', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let app: TestApp;
  before(async () => {
    database = await postgres18.create();
    proxy = await startFaultProxy(database.url);
    app = await startTestApp({ ...database, url: proxy.url });
  });
  after(async () => {
    proxy.heal();
    await app.close();
    await proxy.close();
    await database.drop();
  });

  test('G-03 are given up, and new connections serve assertions and management within seconds', async () => {
    const key = clientKey('ES256');
    const account = await registerWithKeys(app, 'Silent', [key], { secret: true });
    // These requests use every connection of the pools.
    await Promise.all(Array.from({ length: 30 }, () => app.api('GET', '/api/service-accounts')));
    await Promise.all(
      Array.from({ length: 30 }, () => tokenByAssertion(app, assertion(key, account.clientId, app.issuer))),
    );
    proxy.lose();
    const byKey = async (): Promise<number> =>
      (await tokenByAssertion(app, assertion(key, account.clientId, app.issuer))).status;
    const statuses: number[] = [];
    await eventually(8000, async () => {
      const both = await Promise.all([byKey(), app.api('GET', '/api/service-accounts').then(({ status }) => status)]);
      statuses.push(...both);
      return both.every((status) => status === 200);
    });
    // Every silent connection is closed by then, also those that no request has tried.
    const later = await Promise.all([
      ...Array.from({ length: 10 }, byKey),
      ...Array.from({ length: 20 }, () => app.api('GET', '/api/service-accounts').then(({ status }) => status)),
    ]);
    assert.deepEqual(new Set(later), new Set([200]));
    assert.ok(
      statuses.every((status) => status === 200 || status === 503),
      statuses.join(),
    );
  });

  test('G-03 are given up as soon as the feed reaches the database again, before a statement uses them', async (t) => {
    const silent: Knex.Logger = { warn: () => {}, error: () => {}, debug: () => {}, deprecate: () => {} };
    const own = await startFaultProxy(database.url);
    const urls = { url: own.url, adminUrl: own.url, listenUrl: own.url };
    const opened = await openPostgresDatabase(urls, { patience: 10_000, onWait: () => {}, log: silent });
    let missed = 0;
    const feed = await opened.listen({
      listener: { changed: () => {}, missed: () => (missed += 1) },
      newId: random.id,
      clock: systemClock,
      onAnswer: () => {},
      onTrouble: () => {},
    });
    const pools = [opened.knex, opened.tokensKnex];
    t.after(async () => {
      await own.close();
      await feed.close();
      await opened.close();
    });
    const errors: unknown[] = [];
    for (const pool of pools) pool.on('query-error', (error) => errors.push(error));
    const ask = () => Promise.all(pools.flatMap((pool) => Array.from({ length: 10 }, () => pool.raw('select 1'))));
    await ask();
    own.lose();
    await eventually(20_000, () => missed > 0);
    await ask();
    assert.deepEqual(errors, []);
  });

  test('G-03 are given up while no request comes, so that the next request does not wait', async () => {
    await Promise.all(Array.from({ length: 30 }, () => app.api('GET', '/api/service-accounts')));
    const backs = (): number => app.log().filter(({ event }) => event === 'database.back').length;
    const before = backs();
    proxy.lose();
    await eventually(15_000, () => backs() > before);
    const replies = await Promise.all(Array.from({ length: 20 }, () => app.api('GET', '/api/service-accounts')));
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
  });

  test('leave remembered accounts served, and other calls refused with 503, while no new connection is accepted', async () => {
    const account = await registerWithKeys(app, 'Remembered', [], { secret: true });
    assert.equal((await app.token(account)).status, 200);
    proxy.swallow();
    proxy.lose();
    const started = performance.now();
    const served: number[] = [];
    const asked: number[] = [];
    while (performance.now() - started < 4000) {
      served.push((await app.token(account)).status);
      asked.push((await app.api('GET', '/api/self')).status);
    }
    assert.deepEqual(new Set(served), new Set([200]));
    assert.deepEqual(new Set(asked), new Set([503]));
    assert.ok(!app.log().some(({ level }) => level === 'error'));
    proxy.heal();
    await eventually(15_000, async () => (await app.api('GET', '/api/self')).status === 200);
  });

  test('are logged with one line when an outage begins and with one line when it is over', async () => {
    const count = (wanted: string): number => app.log().filter(({ event }) => event === wanted).length;
    await eventually(15_000, () => count('database.lost') === count('database.back'));
    const before = app.log().length;
    proxy.cut();
    await eventually(10_000, async () => (await app.request('/health/ready')).json.status === 'degraded');
    // In this time, the background work tries the database several times.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    proxy.heal();
    await eventually(15_000, () => app.log().some(({ event }, index) => index >= before && event === 'database.back'));
    const lines = app
      .log()
      .slice(before)
      .filter(({ event }) => event !== 'database.notice');
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['database.lost', 'database.back'],
    );
    assert.ok(lines.every((line) => !('err' in line)));
  });
});
