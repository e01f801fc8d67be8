import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pg from 'pg';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { registerWithKeys } from '../support/assertions.ts';
import { startTestApp } from '../support/test-app.ts';

/** Runs a statement as the owner of the server, on another database than the one under test. */
async function administer(database: TestDatabase, statement: (name: string) => string): Promise<void> {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const client = new pg.Client(url.href);
  await client.connect();
  await client.query(statement(name));
  await client.end();
}

describe('a database with settings of its own', () => {
  const settings = {
    datestyle: "'German'",
    intervalstyle: "'sql_standard'",
    timezone: "'Pacific/Kiritimati'",
    bytea_output: "'escape'",
    standard_conforming_strings: 'off',
    default_transaction_isolation: "'serializable'",
    default_transaction_deferrable: 'on',
    client_encoding: "'LATIN1'",
    extra_float_digits: '0',
  };

  test('G-13 serves tokens and management like any other database', async () => {
    const database = await postgres18.create();
    for (const [name, value] of Object.entries(settings)) {
      await administer(database, (target) => `alter database ${target} set ${name} = ${value}`);
    }
    const app = await startTestApp(database);
    const { rows } = await app.knex.raw('show transaction_isolation');
    assert.deepEqual(rows, [{ transaction_isolation: 'read committed' }]);
    const account = await registerWithKeys(app, 'Größe \\ 大', [], { secret: true });
    assert.equal((await app.token(account)).status, 200);
    const path = `/api/service-accounts/${account.clientId}`;
    const { status, json } = await app.api('GET', path);
    assert.equal(status, 200);
    assert.equal(json.name, 'Größe \\ 大');
    assert.ok(Math.abs(Date.parse(json.createdAt) - Date.now()) < 60_000, json.createdAt);
    for (const list of [
      '/api/service-accounts?limit=1',
      '/api/audit-events?limit=2',
      `${path}/credentials`,
      `${path}/activity`,
    ]) {
      assert.equal((await app.api('GET', list)).status, 200, list);
    }
    const next = /<([^>]+)>/.exec((await app.api('GET', '/api/audit-events?limit=1')).headers.get('link') ?? '')?.[1];
    assert.equal(
      (await app.api('GET', new URL(next ?? '', `${app.url}/api/audit-events`).href.replace(app.url, ''))).status,
      200,
    );
    assert.equal((await app.api('PATCH', path, { description: "It's \\ here" })).json.description, "It's \\ here");
    await app.close();
    await database.drop();
  });

  test('is refused at the start when its encoding cannot hold every name', async () => {
    const database = await postgres18.create({ empty: true });
    await administer(
      database,
      (name) => `create database ${name}_latin1 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0`,
    );
    await assert.rejects(startTestApp({ ...database, url: `${database.url}_latin1` }), {
      name: 'UnsuitableDatabaseError',
      message: /encoding LATIN1.*encoding 'UTF8'/s,
    });
    await administer(database, (name) => `drop database ${name}_latin1 with (force)`);
    await database.drop();
  });

  test('is refused at the start when the search path names no schema', async () => {
    const database = await postgres18.create({ empty: true });
    await administer(database, (name) => `alter database ${name} set search_path = nowhere`);
    await assert.rejects(startTestApp(database), {
      name: 'UnsuitableDatabaseError',
      message: /search path.*alter role/s,
    });
    await database.drop();
  });
});
