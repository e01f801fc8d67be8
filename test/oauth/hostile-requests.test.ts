import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertion,
  clientKey,
  lastRefusal,
  registerWithKeys,
  signature,
  tokenByAssertion,
} from '../support/assertions.ts';
import { ROOT } from '../support/config.ts';
import { embedded, postgres18 } from '../support/databases.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

describe('hostile token requests', () => {
  const app = useTestApp(embedded);

  test('N-22 a text that cannot be a client id causes no question to the database', async () => {
    await app.token(ROOT);
    const looks = (): number => app.statements().filter((sql) => sql.includes('account_credentials(')).length;
    const before = looks();
    for (const id of ['a\0b', '\u2028', '"; drop table', '..', 'ä', 'x'.repeat(65), '%00', '[object Object]', '{}']) {
      const { status } = await app.token({ clientId: encodeURIComponent(id), clientSecret: 'x' });
      assert.ok(status === 401 || status === 400, id);
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: 'x' });
      assert.equal((await app.request('/oauth/token', { method: 'POST', body })).status, 401, id);
      assert.equal(lastRefusal(app)['reason'], 'account_unknown', id);
    }
    assert.equal(looks(), before);
    await app.token({ clientId: 'sa_could_be_one', clientSecret: 'x' });
    assert.equal(looks(), before + 1);
  });

  test('C-07 costly requests do not block other requests', async () => {
    const rsa = clientKey('RS256');
    const { clientId } = await registerWithKeys(app, 'RSA', [rsa]);
    const nested = JSON.stringify({ sub: clientId }).slice(0, -1);
    const segment = (text: string): string => Buffer.from(text).toString('base64url');
    const header = segment(JSON.stringify({ alg: 'RS256' }));
    const corpus: (() => Promise<{ status: number }>)[] = [
      () => tokenByAssertion(app, assertion(rsa, clientId, `${app.issuer}/wrong`)),
      () => tokenByAssertion(app, `${header}.${segment(`${nested},"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)}.AA`),
      () => tokenByAssertion(app, `${header}.${segment(`${nested}${',"a":1'.repeat(1500)}}`)}.AA`),
      () => tokenByAssertion(app, '.'.repeat(30_000)),
      () => app.token(ROOT, { scope: 'a '.repeat(15_000) }),
      () => app.token(ROOT, { scope: 'a'.repeat(30_000) }),
      () => app.token(ROOT, { resource: `a://${'a'.repeat(30_000)}` }),
      () => app.token(ROOT, Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`p${index}`, '']))),
      () => app.token({ clientId: '%'.repeat(5000), clientSecret: '%'.repeat(5000) }),
      () => app.request('/oauth/token', { method: 'POST', headers: { 'X-Forwarded-For': ','.repeat(12_000) } }),
    ];
    let probes = 0;
    let slowest = 0;
    const probing = new AbortController();
    const probe = (async () => {
      while (!probing.signal.aborted) {
        const started = performance.now();
        assert.equal((await app.request('/health/live')).status, 200);
        slowest = Math.max(slowest, performance.now() - started);
        probes += 1;
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      const replies = await Promise.all(corpus.map((send) => send()));
      assert.deepEqual(
        replies.map(({ status }) => status),
        [401, 401, 401, 401, 400, 400, 400, 200, 400, 415],
      );
    }
    probing.abort();
    await probe;
    // The bound is far above the usual time, and far below the time of a request that blocks the server.
    assert.ok(probes > 5 && slowest < 2000, `${probes} probes, the slowest took ${slowest} ms`);
  });

  test('deeply nested JSON is refused by every endpoint that reads JSON', async () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const segment = (text: string): string => Buffer.from(text).toString('base64url');
    const tokens = [
      `${segment(`{"alg":"ES256","typ":"at+jwt","kid":"x","a":${deep(5000)}}`)}.${segment('{}')}.AAAA`,
      `${segment('{"alg":"ES256","typ":"at+jwt"}')}.${segment(`{"sub":"x","a":${deep(5000)}}`)}.AAAA`,
    ];
    for (const token of tokens) {
      assert.equal((await app.request('/api/self', { headers: { Authorization: `Bearer ${token}` } })).status, 401);
      assert.equal((await app.request('/tokeninfo', { headers: { Authorization: `Bearer ${token}` } })).status, 401);
      assert.deepEqual((await app.asClient('/oauth/introspect', ROOT, { token })).json, { active: false });
      assert.equal((await app.asClient('/oauth/revoke', ROOT, { token })).status, 200);
      assert.equal((await tokenByAssertion(app, token)).status, 401);
      const diagnosis = await app.api('POST', `/api/service-accounts/${ROOT.clientId}/diagnose-assertion`, {
        assertion: token,
      });
      assert.deepEqual([diagnosis.status, diagnosis.json.accepted], [200, false]);
    }
    const body = `{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","subject_token":${deep(5000)}}`;
    const exchange = await app.request('/oauth/token', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    assert.deepEqual([exchange.status, exchange.json.error], [400, 'invalid_request']);
    // Deeply nested claims are refused also when a key of the account signed them.
    const key = clientKey('ES256');
    const { clientId } = await registerWithKeys(app, 'Deep', [key]);
    for (const nested of [deep(5000), '{"a":'.repeat(2000) + '1' + '}'.repeat(2000)]) {
      const [header = '', payload = ''] = assertion(key, clientId, app.issuer).split('.');
      const text = Buffer.from(payload, 'base64url').toString().replace(/}$/, `,"nested":${nested}}`);
      const input = `${header}.${segment(text)}`;
      const { status } = await tokenByAssertion(app, `${input}.${signature(key, input)}`);
      assert.equal(status, 401);
      assert.equal(lastRefusal(app)['reason'], 'assertion_malformed');
      const diagnosis = await app.api('POST', `/api/service-accounts/${clientId}/diagnose-assertion`, {
        assertion: `${input}.${signature(key, input)}`,
      });
      assert.match(diagnosis.json.checks[0].message, /at most 32 levels deep/);
    }
  });

  test('G-19 new names in requests add no metrics', async () => {
    const series = async (): Promise<number> =>
      (await app.metrics()).split('\n').filter((line) => line.startsWith('writ_')).length;
    const attempt = (index: number): Promise<unknown>[] => [
      app.token({ clientId: `sa_${index}`, clientSecret: `x${index}` }),
      app.token(ROOT, { scope: `scope-${index}` }),
      app.token(ROOT, { resource: `api://${index}` }),
      app.token(ROOT, { grant_type: `grant-${index}` }),
      app.request(`/nothing-${index}`),
      tokenByAssertion(app, assertion(clientKey('EdDSA'), `sa_${index}`, app.issuer, {}, { kid: `k${index}` })),
    ];
    await Promise.all(attempt(0));
    const before = await series();
    for (let index = 1; index < 100; index += 1) await Promise.all(attempt(index));
    assert.equal(await series(), before);
  });
});

describe('a failure inside the server', () => {
  test('B-21 has its details in the log, and none of them in the answer', async () => {
    const database = await postgres18.create();
    const proxy = await startFaultProxy(database.url);
    const app = await startTestApp({ ...database, url: proxy.url });
    const bearer = await app.rootToken();
    const unknown = { clientId: 'sa_never_seen', clientSecret: 'x' };
    const faults: (() => Promise<{ status: number; text: string }>)[] = [
      () => app.token(unknown),
      () => app.api('GET', '/api/service-accounts', undefined, bearer),
      () => app.api('POST', '/api/service-accounts', { name: 'x' }, bearer),
    ];
    try {
      await app.knex.raw('alter table service_accounts rename to mislaid');
      const inside = [await app.token(unknown), await app.api('GET', '/api/service-accounts', undefined, bearer)];
      assert.deepEqual(
        inside.map(({ status }) => status),
        [500, 500],
      );
      await app.knex.raw('alter table mislaid rename to service_accounts');
      proxy.cut();
      const outside = [];
      for (const fault of faults) outside.push(await fault());
      assert.deepEqual(
        outside.map(({ status }) => status),
        [503, 503, 503],
      );
      for (const { text } of [...inside, ...outside]) {
        assert.doesNotMatch(
          text,
          /\bat [\w.]+ |node_modules|\.ts\b|select|insert|relation|\bpg\b|ECONN|knex|127\.0\.0\.1/i,
        );
      }
      // The log has all the details.
      const failed = JSON.stringify(app.log().filter(({ level }) => level === 'error'));
      assert.match(failed, /relation .*credentials.* does not exist/);
      assert.match(failed, /node_modules/);
    } finally {
      proxy.heal();
      await app.close();
      await proxy.close();
      await database.drop();
    }
  });
});
