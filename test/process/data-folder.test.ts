import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, TEST_ENVIRONMENT } from '../support/config.ts';
import { embedded } from '../support/databases.ts';
import { startServerProcess, tokenFrom, workFolder } from '../support/server-process.ts';

async function listing(database: { url: string }): Promise<string[]> {
  const folder = join(database.url.slice('pglite:'.length), 'pglite');
  return readdirSync(folder, { recursive: true })
    .map((name) => `${String(name)} ${statSync(join(folder, String(name))).mtimeMs}`)
    .toSorted();
}

async function setUp() {
  const database = await embedded.create();
  return { database, folder: workFolder(), environment: { ...TEST_ENVIRONMENT, DATABASE_URL: database.url } };
}

describe('the data folder', () => {
  test('G-08 refuses a second process while the first one runs or is stopped, and names the first one', async () => {
    const { database, folder, environment } = await setUp();
    const first = await startServerProcess(folder.path, environment);
    await first.ready();

    for (const state of ['running', 'stopped'] as const) {
      if (state === 'stopped') first.child.kill('SIGSTOP');
      const before = await listing(database);
      const second = await startServerProcess(folder.path, environment);
      assert.equal(await second.ended(), 1, state);
      assert.match(
        second.stderr.join('\n'),
        new RegExp(`is open in another process \\(process ${first.child.pid} on `),
      );
      assert.deepEqual(await listing(database), before, state);
      assert.equal(
        second.stdout.some((line) => line.includes('server.ready')),
        false,
      );
    }
    first.child.kill('SIGCONT');
    assert.equal((await tokenFrom(first.url, ROOT)).status, 200);
    assert.equal(await first.end(), 0);
    folder.remove();
    await database.drop();
  });

  test('G-08 is free as soon as its process is killed', async () => {
    const { database, folder, environment } = await setUp();
    const first = await startServerProcess(folder.path, environment);
    await first.ready();
    assert.equal(await first.end('SIGKILL'), 'SIGKILL');
    const second = await startServerProcess(folder.path, environment);
    await second.ready();
    assert.equal(await second.end(), 0);
    folder.remove();
    await database.drop();
  });

  test('G-07 holds every acknowledged write after three rounds of kill -9 during writes', async () => {
    const { database, folder, environment } = await setUp();
    const acknowledged: { clientId: string; clientSecret: string }[] = [];
    for (let round = 0; round < 3; round += 1) {
      const server = await startServerProcess(folder.path, environment);
      await server.ready();
      const { token } = await tokenFrom(server.url, ROOT);
      const writer = async (lane: number): Promise<void> => {
        for (let index = 0; ; index += 1) {
          const reply = await fetch(`${server.url}/api/service-accounts`, {
            method: 'POST',
            headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: JSON.stringify({ name: `Round ${round} lane ${lane} number ${index}`, permissions: ['a', 'b'] }),
          });
          if (reply.status === 201) acknowledged.push((await reply.json()) as (typeof acknowledged)[number]);
        }
      };
      const writers = Promise.allSettled([0, 1, 2].map(writer));
      const enough = acknowledged.length + 20 + round;
      while (acknowledged.length < enough) await new Promise((later) => setTimeout(later, 5));
      assert.equal(await server.end('SIGKILL'), 'SIGKILL');
      await writers;
    }

    const server = await startServerProcess(folder.path, environment);
    await server.ready();
    const { token } = await tokenFrom(server.url, ROOT);
    const list = await fetch(`${server.url}/api/service-accounts`, { headers: { Authorization: `Bearer ${token}` } });
    const accounts = (await list.json()) as { clientId: string; permissions: string[]; credentialCount: number }[];
    const found = new Map(accounts.map((account) => [account.clientId, account]));
    for (const { clientId } of acknowledged) assert.ok(found.has(clientId), clientId);
    for (const { permissions, credentialCount, clientId } of accounts) {
      if (clientId === ROOT.clientId) continue;
      assert.deepEqual(permissions, ['a', 'b']);
      assert.equal(credentialCount, 1);
    }
    assert.equal(await server.end(), 0);
    folder.remove();
    await database.drop();
  });
});
