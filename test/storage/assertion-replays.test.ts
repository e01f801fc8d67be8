import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type PreparedServer, prepareServer } from '../../src/start/prepare-server.ts';
import { quietSurroundings, testConfig } from '../support/config.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';

const LATER = new Date('2100-01-01');

describe('the consumption of assertions', () => {
  let database: TestDatabase;
  let server: PreparedServer;
  /** Another node that has inserted a row, and has not committed it. */
  let other: pg.Client;
  before(async () => {
    database = await postgres18.create();
    server = await prepareServer(testConfig({ DATABASE_URL: database.url }), quietSurroundings());
    other = new pg.Client(database.url);
    await other.connect();
  });
  after(async () => {
    await other.end();
    await server.close();
    await database.drop();
  });

  const consume = (jti: string): Promise<boolean> => server.storage.replays.consume('sa_one', jti, LATER);
  const several = (name: string, many: number): Promise<boolean[]> =>
    Promise.all(Array.from({ length: many }, (_, index) => consume(`${name} ${index}`)));

  /** Consumes an assertion, and waits until the statement stands behind the row of the other node. */
  async function consumeBehindOther(jti: string): Promise<{ readonly consumed: Promise<boolean> }> {
    await other.query('begin');
    await other.query(`insert into assertion_replays (client_id, jti, expires_at) values ('sa_one', $1, $2)`, [
      jti,
      LATER,
    ]);
    const consumed = consume(jti);
    await eventually(10_000, async () => {
      const { rows } = await other.query(`select from pg_locks where locktype = 'transactionid' and not granted`);
      return rows.length === 1;
    });
    return { consumed };
  }

  test('does not wait for a statement that takes long, when enough assertions wait', async () => {
    const { consumed } = await consumeBehindOther('slow');
    assert.deepEqual(new Set(await several('beside', 16)), new Set([true]));
    await other.query('rollback');
    assert.equal(await consumed, true);
    assert.equal(await consume('slow'), false);
  });

  test('lets few assertions wait for the statement in flight, and then sends them together', async () => {
    const { consumed } = await consumeBehindOther('alone');
    const few = several('few', 15);
    await new Promise((later) => setImmediate(later));
    const { rows } = await other.query(
      `select from pg_stat_activity where query like '%assertion_replays%' and state = 'active' and pid <> pg_backend_pid()`,
    );
    assert.equal(rows.length, 1);
    await other.query('commit');
    assert.equal(await consumed, false);
    assert.deepEqual(new Set(await few), new Set([true]));
  });

  test('lets an assertion in once, also when two statements have it at once', async () => {
    const { consumed } = await consumeBehindOther('blocked');
    const all = [consume('twice'), ...Array.from({ length: 15 }, (_, index) => consume(`other ${index}`))];
    const again = [consume('twice'), ...Array.from({ length: 15 }, (_, index) => consume(`another ${index}`))];
    await other.query('rollback');
    assert.equal(await consumed, true);
    const [[first], [second]] = [await Promise.all(all), await Promise.all(again)];
    assert.deepEqual([first, second].toSorted(), [false, true]);
  });
});
