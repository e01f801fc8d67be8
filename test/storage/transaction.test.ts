import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import knex, { type Knex } from 'knex';
import { openEmbeddedDatabase } from '../../src/storage/open-embedded-database.ts';
import { createTransaction, type Tables, type Transaction } from '../../src/storage/transaction.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';

const LOG: Knex.Logger = { warn() {}, error() {}, debug() {} };
const SILENCE = 300;

interface Kind {
  readonly name: string;
  open(): Promise<{ database: Knex; close(): Promise<void> }>;
}

const PGLITE: Kind = {
  name: 'PGlite',
  async open() {
    const { knex: database, close } = await openEmbeddedDatabase(
      undefined,
      { pid: process.pid, host: 'here', startedAt: 'now' },
      LOG,
    );
    return { database, close };
  },
};

const POSTGRES: Kind = {
  name: 'PostgreSQL 18',
  async open() {
    const { url, drop }: TestDatabase = await postgres18.create({ empty: true });
    const database = knex({
      client: 'pg',
      connection: { connectionString: url, query_timeout: SILENCE } as Knex.PgConnectionConfig,
      // With one connection, each transaction meets what the transaction before it has left.
      pool: { min: 0, max: 1 },
      log: LOG,
    });
    return {
      database,
      async close() {
        await database.destroy();
        await drop();
      },
    };
  },
};

/** Opens a database with a table of notes for the tests of a suite. */
function openBefore(kind: Kind): { database: () => Knex; transaction: Transaction } {
  let database: Knex;
  let close: () => Promise<void>;
  before(async () => {
    ({ database, close } = await kind.open());
    await database.raw('create table notes (note text primary key)');
  });
  after(() => close());
  return { database: () => database, transaction: (work) => createTransaction(database)(work) };
}

for (const kind of [PGLITE, POSTGRES]) {
  describe(`a transaction (${kind.name})`, () => {
    const { database, transaction } = openBefore(kind);
    const note = (text: string) => (tables: Tables) => tables('notes' as never).insert({ note: text });
    const noted = async (text: string): Promise<boolean> =>
      (await database()('notes').where({ note: text })).length > 0;

    test('is committed when its work is done, and returns the result of the work', async () => {
      const count = await transaction(async (tables) => {
        await note('kept')(tables);
        return (await tables('notes' as never).where({ note: 'kept' })).length;
      });
      assert.equal(count, 1);
      assert.ok(await noted('kept'));
    });

    test('has the isolation level read committed, whatever the default of its connection is', async () => {
      await database().raw(`set default_transaction_isolation = 'serializable'`);
      const { rows } = await transaction((tables) => tables.raw('show transaction_isolation'));
      await database().raw('reset default_transaction_isolation');
      assert.deepEqual(rows, [{ transaction_isolation: 'read committed' }]);
    });

    test('leaves nothing when its work fails, and fails with the error of the work', async () => {
      const failure = new Error('changed my mind');
      const work = async (tables: Tables): Promise<never> => {
        await note('dropped')(tables);
        throw failure;
      };
      await assert.rejects(transaction(work), failure);
      assert.equal(await noted('dropped'), false);
    });

    test('leaves nothing when a statement fails, and the next transaction works', async () => {
      const work = async (tables: Tables): Promise<void> => {
        await note('first')(tables);
        await note('first')(tables);
      };
      await assert.rejects(transaction(work), { code: '23505' });
      assert.equal(await noted('first'), false);
      await transaction(note('next'));
      assert.ok(await noted('next'));
    });

    test('refuses a statement after its end, because its connection may serve another caller by then', async () => {
      const kept = await transaction((tables) => Promise.resolve({ tables }));
      assert.throws(() => kept.tables('notes' as never).insert({ note: 'late' }), /after the end of its transaction/);
      assert.throws(() => kept.tables.raw('select 1'), /after the end of its transaction/);
    });
  });
}

describe('a transaction whose connection fails (PostgreSQL 18)', () => {
  const { database, transaction } = openBefore(POSTGRES);
  const notes = (): Promise<string[]> => database()('notes' as never).pluck('note');

  for (const [name, statement, reason] of [
    ['is given up after a statement that takes too long', 'select pg_sleep(3)', /Query read timeout/],
    ['is given up when the server ends it', 'select pg_terminate_backend(pg_backend_pid())', /terminat/],
  ] as const) {
    test(`${name}, and the next transaction does not find it open`, async () => {
      const work = async (tables: Tables): Promise<void> => {
        await tables('notes' as never).insert({ note: `${name}: dropped` });
        await tables.raw(statement);
      };
      await assert.rejects(transaction(work), reason);
      // This statement would time out, too, if it had to wait for the statement of the failed transaction.
      const inside = await database().raw('select pg_current_xact_id_if_assigned() as id');
      assert.equal(inside.rows[0].id, null);
      await transaction((tables) => tables('notes' as never).insert({ note: name }));
      assert.deepEqual(
        (await notes()).filter((note) => note.startsWith(name)),
        [name],
      );
    });
  }
});
