import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import knex, { type Knex } from 'knex';
import { ROOT } from '../support/config.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

describe('two database roles', () => {
  const server = `server_${process.pid}`;
  const migrator = `migrator_${process.pid}`;
  let database: TestDatabase;
  let owner: Knex;
  before(async () => {
    database = await postgres18.create({ empty: true });
    owner = knex({ client: 'pg', connection: database.url });
    for (const role of [server, migrator]) await owner.raw(`create role ${role} login password 'x'`);
    await owner.raw(`grant create on schema public to ${migrator}`);
  });
  after(async () => {
    for (const role of [server, migrator]) {
      await owner.raw(`drop owned by ${role} cascade`);
      await owner.raw(`drop role ${role}`);
    }
    await owner.destroy();
    await database.drop();
  });
  const as = (role: string): string => database.url.replace('postgres:postgres', `${role}:x`);

  test('the migrating role grants the serving role its rights, which do not include changes of the schema', async () => {
    const app = await startTestApp({ ...database, url: as(server) }, { WRIT_DATABASE_ADMIN_URL: as(migrator) });
    assert.equal((await app.token(ROOT)).status, 200);
    assert.equal((await app.api('POST', '/api/service-accounts', { name: 'Served' })).status, 201);
    await assert.rejects(
      app.knex.schema.createTable('mine', (table) => table.text('a')),
      { code: '42501' },
    );
    await app.close();
  });

  test('a table of a later migration is granted to the serving role, too', async () => {
    const later = knex({ client: 'pg', connection: as(migrator) });
    await later.raw('create table of_a_later_release (a text)');
    await later.destroy();
    const serving = knex({ client: 'pg', connection: as(server) });
    await serving('of_a_later_release').insert({ a: 'x' });
    await serving.destroy();
    await owner.raw('drop table of_a_later_release');
  });

  test('a node starts with the serving role alone once the schema is there', async () => {
    const app = await startTestApp({ ...database, url: as(server) });
    assert.equal((await app.token(ROOT)).status, 200);
    await app.close();
    const listening = await startTestApp({ ...database, url: as(server) }, { WRIT_DATABASE_LISTEN_URL: as(server) });
    assert.equal((await listening.token(ROOT)).status, 200);
    await listening.close();
  });

  test('a start prints the missing grants when it cannot make them', async () => {
    await owner.raw(`revoke all on credentials from ${server}`);
    await owner.raw('alter table credentials owner to postgres');
    await owner.raw(`grant all on all tables in schema public to ${migrator}`);
    await assert.rejects(
      startTestApp({ ...database, url: as(server) }, { WRIT_DATABASE_ADMIN_URL: as(migrator) }),
      ({ name, message }: Error) => {
        assert.equal(name, 'UnsuitableDatabaseError');
        assert.match(message, /may not use credentials/);
        assert.match(message, new RegExp(`grant select, insert, update, delete on all tables .* to ${server};`));
        return true;
      },
    );
    await owner.raw(`alter table credentials owner to ${migrator}`);
  });

  test('a start is refused with the reason when the roles look in different schemas', async () => {
    await owner.raw('create schema elsewhere');
    await owner.raw(`grant usage on schema elsewhere to ${server}`);
    await owner.raw(`alter role ${server} set search_path = elsewhere`);
    await assert.rejects(startTestApp({ ...database, url: as(server) }, { WRIT_DATABASE_ADMIN_URL: as(migrator) }), {
      name: 'UnsuitableDatabaseError',
      message: /in the schema public.*looks in elsewhere.*search_path = public/s,
    });
    await owner.raw(`alter role ${server} reset search_path`);
  });
});
