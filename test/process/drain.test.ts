import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { describe, test } from 'node:test';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type Answered, requestToken } from '../support/kept-connections.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';

describe('the end of a server by a signal', () => {
  test('G-14 turns readiness first on SIGTERM, while requests are served until load balancers have noticed', async () => {
    const folder = workFolder();
    const database = await postgres18.create();
    const environment = { ...TEST_ENVIRONMENT, DATABASE_URL: database.url, WRIT_DRAIN: '2' };
    const server = await startServerProcess(folder.path, environment);
    await server.ready();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    assert.deepEqual(await requestToken(server.url, agent), { status: 200, connection: 'keep-alive' });
    const ended = server.end();
    // A load balancer sends requests until it has noticed that readiness has turned.
    const sending = new AbortController();
    const failures: unknown[] = [];
    const answers: Answered[] = [];
    const loops = Array.from({ length: 8 }, async () => {
      while (!sending.signal.aborted) {
        try {
          answers.push(await requestToken(server.url, agent));
        } catch (error) {
          failures.push(error);
        }
      }
    });
    await eventually(10_000, async () => (await fetch(`${server.url}/health/ready`)).status === 503);
    assert.deepEqual(await (await fetch(`${server.url}/health/ready`)).json(), { status: 'draining' });
    assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
    const before = answers.length;
    await eventually(10_000, () => answers.length > before + 50);
    const late = answers.slice(before + 10);
    assert.deepEqual(new Set(late.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(new Set(late.map(({ connection }) => connection)), new Set(['close']));
    sending.abort();
    await Promise.all(loops);
    assert.deepEqual(failures, []);
    assert.equal(await ended, 0);
    agent.destroy();
    await database.drop();
    folder.remove();
  });

  test('comes at once on SIGINT, also during a drain', async () => {
    for (const signals of [['SIGINT'], ['SIGTERM', 'SIGINT']] as const) {
      const folder = workFolder();
      const database = await postgres18.create();
      const environment = { ...TEST_ENVIRONMENT, DATABASE_URL: database.url, WRIT_DRAIN: '3600' };
      const server = await startServerProcess(folder.path, environment);
      await server.ready();
      for (const signal of signals) {
        server.child.kill(signal);
        await eventually(10_000, () => server.stdout.some((line) => line.includes('server.stopping')));
      }
      assert.equal(await server.ended(), 0);
      await database.drop();
      folder.remove();
    }
  });
});
