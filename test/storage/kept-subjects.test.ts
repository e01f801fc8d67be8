import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { START } from '../../src/start/origins.ts';
import { quietSurroundings, testConfig } from '../support/config.ts';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp } from '../support/test-app.ts';

test('D-13 the subject of a rule is kept until the transaction ends: two accounts cannot get it at once', async () => {
  const database = await postgres18.create();
  const app = await startTestApp(database);
  const server = await prepareServer(testConfig({ DATABASE_URL: database.url }), quietSurroundings());
  try {
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const keeping = (name: string, meanwhile: Promise<void>): Promise<void> =>
      server.storage.write(START, async ({ credentials }) => {
        await credentials.keepSubject('https://ci.example', 'repo:acme/shop');
        order.push(`${name} keeps`);
        await meanwhile;
        order.push(`${name} ends`);
        return { result: undefined, audit: [] };
      });
    const first = keeping('first', gate.promise);
    await eventually(10_000, () => order.length === 1);
    const second = keeping('second', Promise.resolve());
    const waits = async (): Promise<boolean> => {
      const { rows } = await app.knex.raw(`select from pg_locks where locktype = 'advisory' and not granted`);
      return rows.length > 0 || order.length > 1;
    };
    await eventually(10_000, waits);
    gate.resolve();
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first keeps', 'first ends', 'second keeps', 'second ends']);
  } finally {
    await server.close();
    await app.close();
    await database.drop();
  }
});
