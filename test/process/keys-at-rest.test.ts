import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import pg from 'pg';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { quietSurroundings, TEST_ENVIRONMENT, testConfig } from '../support/config.ts';
import { databases, embedded, postgres18 } from '../support/databases.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';

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
      assert.equal((await server.database.knex('server_secrets').select()).length, 2);
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
      assert.equal(rows.length, 2);
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
