import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import knex from 'knex';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { recoverRootAccount } from '../../src/start/recover-root-account.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openEmbeddedDatabase } from '../../src/storage/open-embedded-database.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { quietSurroundings, ROOT, testConfig, TEST_ENVIRONMENT } from '../support/config.ts';
import { databases, postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';
import { startTestApp } from '../support/test-app.ts';

describe('start-up', () => {
  test('E-18 of four nodes on an empty database registers one root account and generates one set of keys', async () => {
    const database = await postgres18.create({ empty: true });
    const folder = workFolder();
    const { WRIT_BOOTSTRAP_CLIENT_ID: id, WRIT_BOOTSTRAP_CLIENT_SECRET: secret, ...environment } = TEST_ENVIRONMENT;
    assert.ok(id && secret);
    const nodes = await Promise.all(
      [1, 2, 3, 4].map(() => startServerProcess(folder.path, { ...environment, DATABASE_URL: database.url })),
    );
    await Promise.all(nodes.map((node) => node.ready()));
    // The banner follows the line `server.ready`.
    await Promise.all(nodes.map((node) => fetch(`${node.url}/health/ready`)));
    assert.equal(nodes.filter((node) => node.stdout.some((line) => line.includes('clientSecret'))).length, 1);
    const keys = await Promise.all(
      nodes.map(async (node) => (await fetch(`${node.url}/.well-known/jwks.json`)).text()),
    );
    assert.equal(new Set(keys).size, 1);
    assert.deepEqual(await Promise.all(nodes.map((node) => node.end())), [0, 0, 0, 0]);

    const connection = knex({ client: 'pg', connection: database.url });
    assert.equal((await connection('service_accounts').select()).length, 1);
    assert.equal((await connection('signing_keys').select()).length, 2);
    await connection.destroy();
    folder.remove();
    await database.drop();
  });

  test('E-18 is refused when the id of the root account was used before', async () => {
    const database = await postgres18.create();
    const first = await startTestApp(database);
    await first.knex('service_accounts').delete();
    await first.knex('retired_ids').insert({ id: ROOT.clientId, retired_at: new Date() });
    await first.close();
    await assert.rejects(startTestApp(database), { code: 'already_exists' });
    await database.drop();
  });

  test('E-18 does not make an existing account the root account', async () => {
    const database = await postgres18.create();
    const first = await startTestApp(database);
    const { json } = await first.api('POST', '/api/service-accounts', { name: 'Somebody', permissions: ['a'] });
    // The test deletes the last root account, which no caller can do.
    await first.knex('service_accounts').where({ client_id: ROOT.clientId }).delete();
    const read = (): Promise<unknown> => first.knex('service_accounts').select('client_id', 'slug', 'revision');
    const before = await read();
    const other = { WRIT_BOOTSTRAP_CLIENT_ID: json.clientId };
    await assert.rejects(startTestApp(database, other), {
      code: 'already_exists',
      message: `WRIT_BOOTSTRAP_CLIENT_ID: ${json.clientId} has been used before`,
    });
    assert.deepEqual(await read(), before);
    assert.deepEqual(await first.knex('grants').pluck('name'), ['a']);
    await first.close();
    await database.drop();
  });

  test('gives the first root account a public key from the settings, and then no secret', async () => {
    const key = clientKey('EdDSA');
    const database = await postgres18.create({ empty: true });
    const fixed = { WRIT_BOOTSTRAP_CLIENT_SECRET: '', WRIT_BOOTSTRAP_PUBLIC_KEY: JSON.stringify(key.jwk) };
    const first = await startTestApp(database, fixed);
    const { json } = await tokenByAssertion(first, assertion(key, ROOT.clientId, first.issuer));
    assert.equal(decodeJwt(json.access_token).aud, `${first.issuer}/api`);
    assert.equal((await first.api('GET', '/api/service-accounts', undefined, json.access_token)).status, 200);
    assert.deepEqual(await first.knex('credentials').pluck('type'), ['public_key']);
    await first.close();

    // The root account exists by now: another key in the settings changes nothing.
    const other = clientKey('EdDSA');
    const second = await startTestApp(database, { ...fixed, WRIT_BOOTSTRAP_PUBLIC_KEY: JSON.stringify(other.jwk) });
    assert.equal((await tokenByAssertion(second, assertion(other, ROOT.clientId, second.issuer))).status, 401);
    await second.close();
    await database.drop();

    const unused = await postgres18.create({ empty: true });
    const privateKey = JSON.stringify(key.privateKey.export({ format: 'jwk' }));
    await assert.rejects(startTestApp(unused, { ...fixed, WRIT_BOOTSTRAP_PUBLIC_KEY: privateKey }), {
      name: 'DomainError',
      code: 'invalid_value',
    });
    await unused.drop();
  });

  test('serves a root account that was disabled and then recovered', async () => {
    const database = await postgres18.create();
    const first = await startTestApp(database);
    await first.knex('service_accounts').where({ client_id: ROOT.clientId }).update({ state: 'disabled' });
    await first.close();
    const config = testConfig({ DATABASE_URL: database.url });
    const recovered = await recoverRootAccount(config, quietSurroundings());
    assert.equal(recovered.clientId, ROOT.clientId);
    const second = await startTestApp(database);
    assert.equal((await second.token(recovered)).status, 200);
    const actions = await second.knex('audit_events').whereRaw(`actor ->> 'command' = 'root recover'`).pluck('action');
    assert.deepEqual(actions.toSorted(), ['credential.created', 'service_account.changed']);
    await second.close();
    await database.drop();
  });

  test('G-01 waits for a database that is down, and fails when its patience ends', async () => {
    const port = await freePort();
    const config = testConfig({ DATABASE_URL: `postgres://postgres:x@127.0.0.1:${port}/writ` });
    const lines: string[] = [];
    const started = performance.now();
    await assert.rejects(prepareServer(config, quietSurroundings({ lines, databasePatience: 1500 })), {
      code: 'ECONNREFUSED',
    });
    assert.ok(performance.now() - started > 700);
    const waits = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'database.waiting');
    assert.ok(waits.length >= 3);
    assert.match(waits[0].reason, /ECONNREFUSED/);
  });

  test('G-01 does not wait for a database that refuses the password', async () => {
    const database = await postgres18.create();
    const wrong = database.url.replace('postgres:postgres', 'postgres:wrong');
    const started = performance.now();
    await assert.rejects(
      prepareServer(testConfig({ DATABASE_URL: wrong }), quietSurroundings({ databasePatience: 30_000 })),
      { code: '28P01' },
    );
    assert.ok(performance.now() - started < 20_000);
    await database.drop();
  });

  test('G-16 is followed by readiness that turns with the change feed, and by liveness that does not', async () => {
    const database = await postgres18.create();
    const proxy = await startFaultProxy(database.url);
    const app = await startTestApp({ ...database, url: proxy.url }, { WRIT_MAX_STALENESS: '2' });
    assert.equal((await app.request('/health/live')).status, 200);
    assert.deepEqual((await app.request('/health/ready')).json, { status: 'ready' });
    proxy.cut();
    await eventually(10_000, async () => (await app.request('/health/ready')).json.status === 'degraded');
    assert.equal((await app.request('/health/live')).status, 200);
    await eventually(10_000, async () => (await app.request('/health/ready')).status === 503);
    assert.deepEqual((await app.request('/health/ready')).json, { status: 'unavailable' });
    assert.equal((await app.request('/health/live')).status, 200);
    proxy.heal();
    await eventually(10_000, async () => (await app.request('/health/ready')).json.status === 'ready');
    assert.equal((await app.request('/health/ready', { method: 'POST' })).status, 405);
    await app.close();
    await proxy.close();
    await database.drop();
  });
});

describe('the migrations', () => {
  for (const kind of databases) {
    test(`go forward, back and forward again, and leave nothing behind (${kind.name})`, async () => {
      const database = await kind.create();
      const open = kind.embedded
        ? await openEmbeddedDatabase(database.url.slice('pglite:'.length), { pid: 0, host: '', startedAt: '' }, {})
        : undefined;
      const connection = open?.knex ?? knex({ client: 'pg', connection: database.url });
      const tables = async (): Promise<string[]> => {
        const { rows } = await connection.raw(
          "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
        );
        return rows.map(({ name }: { name: string }) => name).filter((name: string) => !name.startsWith('knex_'));
      };
      const forward = await tables();
      assert.ok(forward.includes('service_accounts'));
      await connection.migrate.rollback({ directory: 'migrations', extension: 'ts', loadExtensions: ['.ts'] }, true);
      assert.deepEqual(await tables(), []);
      await migrate(connection);
      await migrate(connection);
      assert.deepEqual(await tables(), forward);
      await (open ?? { close: () => connection.destroy() }).close();
      await database.drop();
    });
  }
});
