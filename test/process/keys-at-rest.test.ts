import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import pg from 'pg';
import { encryptAnew } from '../../src/start/encrypt-anew.ts';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { registerAccount } from '../support/accounts.ts';
import { quietSurroundings, TEST_ENVIRONMENT, testConfig } from '../support/config.ts';
import { databases, embedded, postgres18 } from '../support/databases.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

describe('keys at rest', () => {
  for (const kind of databases) {
    test(`F-05 a wrong key-encryption key stops the start and changes nothing (${kind.name})`, async () => {
      const database = await kind.create();
      const right = testConfig({ DATABASE_URL: database.url });
      const wrong = testConfig({
        DATABASE_URL: database.url,
        WRIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64'),
      });
      await assert.rejects(prepareServer(wrong, quietSurroundings()), {
        name: 'UndecryptableError',
        message: /cannot be decrypted with this key-encryption key/,
      });
      const server = await prepareServer(right, quietSurroundings());
      assert.equal((await server.database.knex('signing_keys').select()).length, 2);
      assert.equal((await server.database.knex('server_secrets').select()).length, 3);
      await server.close();
      await database.drop();
    });
  }

  for (const [table, name, sealed] of [
    ['server_secrets', 'name', 'sealed'],
    ['signing_keys', 'kid', 'sealed_private_jwk'],
  ] as const) {
    test(`F-05 a sealed value of ${table} in another row than its own stops the start`, async () => {
      const database = await postgres18.create();
      const config = testConfig({ DATABASE_URL: database.url });
      const client = new pg.Client(database.url);
      await client.connect();
      const { rows } = await client.query(`select ${name} as name, ${sealed} as sealed from ${table} order by 1`);
      assert.ok(rows.length >= 2);
      const put = (row: number, value: number) =>
        client.query(`update ${table} set ${sealed} = $1 where ${name} = $2`, [rows[value].sealed, rows[row].name]);
      for (const row of [0, 1]) {
        // The key-encryption key is the right one: it decrypts the value in the row of the value.
        await put(row, 1 - row);
        const start = prepareServer(config, quietSurroundings()).then((server) => server.close());
        await assert.rejects(start, {
          name: 'UndecryptableError',
          message: new RegExp(`^${table}/${rows[row].name} cannot be decrypted`),
        });
        await put(row, row);
      }
      await (await prepareServer(config, quietSurroundings())).close();
      await client.end();
      await database.drop();
    });
  }

  for (const kind of databases) {
    test(`F-05 the key-encryption key is changed without a client that notices (${kind.name})`, async () => {
      const database = await kind.create();
      const old = TEST_ENVIRONMENT.WRIT_KEY_ENCRYPTION_KEY;
      const next = Buffer.alloc(32, 9).toString('base64');
      const withKeys = (...keys: string[]) => ({ WRIT_KEY_ENCRYPTION_KEY: keys.join(',') });
      const sealed = async (app: TestApp): Promise<string[]> => [
        ...(await app.knex('signing_keys').orderBy('kid').pluck('sealed_private_jwk')),
        ...(await app.knex('server_secrets').orderBy('name').pluck('sealed')),
      ];
      const nameOf = (jwe: string): unknown => decodeProtectedHeader(jwe).kid;

      const first = await startTestApp(database, withKeys(old));
      const client = await registerAccount(first);
      const before = await sealed(first);
      assert.equal(before.length, 5);
      await first.close();

      // Old values are read with the old key, and a new value is written with the new one.
      const both = await startTestApp(database, withKeys(next, old));
      assert.equal((await both.token(client)).status, 200);
      assert.deepEqual(await sealed(both), before);
      assert.equal((await both.api('POST', '/api/signing-keys/rotate', { alg: 'ES256' })).status, 200);
      assert.equal(new Set((await sealed(both)).map(nameOf)).size, 2);
      // The embedded database has one process.
      if (kind.embedded) await both.close();
      const config = testConfig({ DATABASE_URL: database.url, ...withKeys(next, old) });
      assert.equal(await encryptAnew(config, quietSurroundings()), 5);
      assert.equal(await encryptAnew(config, quietSurroundings()), 0);
      if (!kind.embedded) {
        assert.equal((await both.token(client)).status, 200);
        await both.close();
      }

      const last = await startTestApp(database, withKeys(next));
      assert.equal((await last.token(client)).status, 200);
      const names = new Set((await sealed(last)).map(nameOf));
      assert.equal(names.size, 1);
      assert.equal(names.has(nameOf(before[0] ?? '')), false);
      const { json } = await last.api('GET', '/api/audit-events?action=key_encryption_key.changed');
      assert.deepEqual(
        json.map(({ actor, details }: { actor: object; details: object }) => [actor, details]),
        [[{ type: 'server', command: 'keys encrypt-anew' }, { values: 5 }]],
      );
      await last.close();
      await assert.rejects(
        prepareServer(testConfig({ DATABASE_URL: database.url, ...withKeys(old) }), quietSurroundings()),
        {
          name: 'UndecryptableError',
          message: /it was encrypted with [\w-]{16}, which every node needs/,
        },
      );
      await database.drop();
    });
  }

  test('F-05 a value that no given key decrypts stops the change of the key, and nothing is changed', async () => {
    const database = await postgres18.create();
    const next = Buffer.alloc(32, 9).toString('base64');
    const keys = `${next},${TEST_ENVIRONMENT.WRIT_KEY_ENCRYPTION_KEY}`;
    const config = testConfig({ DATABASE_URL: database.url, WRIT_KEY_ENCRYPTION_KEY: keys });
    const client = new pg.Client(database.url);
    await client.connect();
    // A key that has left the JWKS is not read at a start.
    await client.query(
      `insert into signing_keys (kid, alg, public_jwk, sealed_private_jwk, created_at, signs_from, retired_at)
       select 'gone', alg, public_jwk, sealed_private_jwk, created_at, signs_from, '2000-01-01' from signing_keys limit 1`,
    );
    const all = async (): Promise<unknown> =>
      (await client.query('select sealed_private_jwk from signing_keys order by kid')).rows;
    const before = await all();
    await assert.rejects(encryptAnew(config, quietSurroundings()), {
      name: 'UndecryptableError',
      message: /^signing_keys\/gone cannot be decrypted/,
    });
    assert.deepEqual(await all(), before);
    await client.query(`delete from signing_keys where kid = 'gone'`);
    assert.equal(await encryptAnew(config, quietSurroundings()), 5);
    await client.end();
    await database.drop();
  });

  test('F-05 the file may have several keys, newest first, and the command says what it did', async () => {
    const database = await embedded.create();
    const folder = workFolder();
    const { WRIT_KEY_ENCRYPTION_KEY: old, ...environment } = TEST_ENVIRONMENT;
    const settings = { ...environment, DATABASE_URL: database.url };
    const file = join(folder.path, 'keys', 'key-encryption-key');
    mkdirSync(join(folder.path, 'keys'));
    writeFileSync(file, `${Buffer.alloc(32, 9).toString('base64')}\n\n${old}\n`, { mode: 0o600 });
    const command = await startServerProcess(folder.path, settings, ['keys', 'encrypt-anew']);
    assert.equal(await command.ended(), 0, command.stderr.join('\n'));
    assert.deepEqual(JSON.parse(command.stdout.at(-1) ?? ''), { encryptedAnew: 5 });
    writeFileSync(file, `${Buffer.alloc(32, 9).toString('base64')}\n`);
    const server = await startServerProcess(folder.path, settings);
    await server.ready();
    assert.equal(await server.end(), 0);
    folder.remove();
    await database.drop();
  });

  test('F-05 a wrong key-encryption key ends the process', async () => {
    const database = await postgres18.create();
    const folder = workFolder();
    const server = await startServerProcess(folder.path, {
      ...TEST_ENVIRONMENT,
      DATABASE_URL: database.url,
      WRIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64'),
    });
    assert.equal(await server.ended(), 1);
    assert.match(server.stderr.join('\n'), /cannot be decrypted with this key-encryption key/);
    folder.remove();
    await database.drop();
  });

  test('F-05 a lost key-encryption key stops the start, and no new key is generated', async () => {
    const database = await embedded.create();
    const folder = workFolder();
    const { WRIT_KEY_ENCRYPTION_KEY: lost, ...environment } = TEST_ENVIRONMENT;
    assert.ok(lost);
    const server = await startServerProcess(folder.path, { ...environment, DATABASE_URL: database.url });
    assert.equal(await server.ended(), 1);
    assert.match(
      server.stderr.join('\n'),
      /there is no key-encryption key: put the key with which they were encrypted at/,
    );
    assert.deepEqual(readdirSync(folder.path), []);
    folder.remove();
    await database.drop();
  });

  test('F-05 a production server on PostgreSQL requires a key-encryption key, and says how to generate one', async () => {
    const database = await postgres18.create({ empty: true });
    const folder = workFolder();
    const environment = { NODE_ENV: 'production', WRIT_ISSUER: 'https://id.example', DATABASE_URL: database.url };
    const refused = await startServerProcess(folder.path, environment);
    assert.equal(await refused.ended(), 1);
    const message = refused.stderr.join('\n');
    const command = /^ *(mkdir .*)$/m.exec(message)?.[1];
    assert.match(String(command), /openssl rand -base64 32/);

    const given = await startServerProcess(folder.path, {
      ...environment,
      WRIT_KEY_ENCRYPTION_KEY: TEST_ENVIRONMENT.WRIT_KEY_ENCRYPTION_KEY,
    });
    await given.ready();
    assert.equal(await given.end(), 0);
    folder.remove();
    await database.drop();
  });

  test('F-05 a copy of the database holds no private key and no secret', async () => {
    const database = await postgres18.create();
    const client = new pg.Client(database.url);
    await client.connect();
    const tables = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public'",
    );
    let dump = '';
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`select * from "${name}"`);
      dump += JSON.stringify(rows);
    }
    await client.end();
    assert.ok(dump.includes(TEST_ENVIRONMENT.WRIT_BOOTSTRAP_CLIENT_ID));
    assert.equal(dump.includes(TEST_ENVIRONMENT.WRIT_BOOTSTRAP_CLIENT_SECRET), false);
    assert.doesNotMatch(dump, /"d":|PRIVATE KEY/);
    await database.drop();
  });

  test('F-05 the files of the embedded database hold no private key and no secret', async () => {
    const database = await embedded.create();
    const folder = join(database.url.slice('pglite:'.length), 'pglite');
    for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const content = readFileSync(join(name.parentPath, name.name), 'latin1');
      assert.equal(content.includes(TEST_ENVIRONMENT.WRIT_BOOTSTRAP_CLIENT_SECRET), false, name.name);
      assert.equal(content.includes('"d":"'), false, name.name);
    }
    await database.drop();
  });
});
