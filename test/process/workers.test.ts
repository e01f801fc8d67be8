import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ROOT, TEST_ENVIRONMENT } from '../support/config.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { requestToken } from '../support/kept-connections.ts';
import { type ServerProcess, startServerProcess, workFolder } from '../support/server-process.ts';

/** The ids of the processes that a process has started, and that have not ended. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[1]) === pid && fields[0] !== 'Z' ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const isAlive = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
};

describe('a server with several workers', () => {
  const folder = workFolder();
  let database: TestDatabase;
  let server: ServerProcess;
  before(async () => {
    database = await postgres18.create();
    const environment = { ...TEST_ENVIRONMENT, DATABASE_URL: database.url, WRIT_WORKERS: '2', WRIT_DRAIN: '1' };
    server = await startServerProcess(folder.path, environment);
    await serving(2);
  });
  after(async () => {
    await server.end('SIGINT');
    await database.drop();
    folder.remove();
  });

  const workers = (): number[] => childrenOf(server.child.pid ?? 0);
  const events = (name: string): Record<string, unknown>[] =>
    server.stdout.filter((line) => line.includes(`"${name}"`)).map((line) => JSON.parse(line));
  /** Waits until so many workers have said that they serve. */
  const serving = (many: number): Promise<void> => eventually(30_000, () => events('server.ready').length >= many);

  /** Asks for a token on a connection of its own: the workers get new connections in turn. */
  async function tokenOnNewConnection(clientSecret = ROOT.clientSecret): Promise<Response> {
    return fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${ROOT.clientId}:${clientSecret}`)}`, Connection: 'close' },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
  }
  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${server.url}/metrics`, { headers: { Connection: 'close' } })).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }

  test('runs each in a process of its own, and says in the log which one it is', () => {
    assert.equal(workers().length, 2);
    assert.deepEqual(
      events('server.ready')
        .map(({ worker }) => worker)
        .toSorted(),
      [1, 2],
    );
  });

  test('adds up the metrics of all workers, whichever answers', async () => {
    const issued = 'writ_tokens_issued_total{method="client_secret_basic"}';
    for (let sent = 0; sent < 10; sent += 1) assert.equal((await tokenOnNewConnection()).status, 200);
    // A text that has been rendered is served for a second.
    for (let looks = 0; looks < 4; looks += 1) await eventually(5000, async () => (await metric(issued)) === 10);
    assert.equal(await metric('writ_degraded'), 0);
    assert.equal(await metric('writ_account_cache_entries'), 2);
  });

  test('counts guesses as one server does', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 36; guess += 1) statuses.push((await tokenOnNewConnection('wrong')).status);
    // The allowance of a client id is twenty failures; and each worker alone sees eighteen.
    assert.deepEqual(
      statuses.slice(0, 18),
      Array.from({ length: 18 }, () => 401),
    );
    assert.equal(statuses.at(-1), 429);
    assert.equal((await tokenOnNewConnection()).status, 200);
  });

  test('replaces a worker that fails, while the others serve', async () => {
    const [first = 0] = workers();
    const before = events('server.ready').length;
    process.kill(first, 'SIGKILL');
    await eventually(10_000, () => events('worker.ended').length === 1);
    assert.equal(events('worker.ended')[0]?.['signal'], 'SIGKILL');
    assert.equal((await tokenOnNewConnection()).status, 200);
    await serving(before + 1);
    assert.equal(workers().length, 2);
  });

  test('replaces every worker on SIGUSR2, and no request fails', async () => {
    const old = workers();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const sending = new AbortController();
    const failures: unknown[] = [];
    let answered = 0;
    const loops = Array.from({ length: 8 }, async () => {
      while (!sending.signal.aborted) {
        try {
          assert.equal((await requestToken(server.url, agent)).status, 200);
          answered += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    });
    server.child.kill('SIGUSR2');
    await eventually(60_000, () => events('workers.rolled').length === 1);
    sending.abort();
    await Promise.all(loops);
    agent.destroy();
    assert.deepEqual(failures, []);
    assert.ok(answered > 100, String(answered));
    assert.equal(workers().length, 2);
    assert.deepEqual(
      workers().filter((pid) => old.includes(pid)),
      [],
    );
    assert.equal(events('worker.ended').length, 1);
  });

  test('ends with all its workers on SIGTERM', async () => {
    const all = workers();
    assert.equal(await server.end(), 0);
    assert.deepEqual(all.filter(isAlive), []);
  });
});

test('a server whose first worker cannot start ends with its message, and starts no other', async () => {
  const folder = workFolder();
  const database = await postgres18.create();
  const server = await startServerProcess(folder.path, {
    ...TEST_ENVIRONMENT,
    DATABASE_URL: database.url,
    WRIT_WORKERS: '3',
    WRIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64'),
  });
  assert.equal(await server.ended(), 1);
  assert.equal(server.stderr.filter((line) => line.includes('cannot be decrypted')).length, 1);
  assert.equal(server.stdout.filter((line) => line.includes('"worker.ended"')).length, 1);
  await database.drop();
  folder.remove();
});

test('the workers of a process that was killed do not stay', async () => {
  const folder = workFolder();
  const database = await postgres18.create();
  const environment = { ...TEST_ENVIRONMENT, DATABASE_URL: database.url, WRIT_WORKERS: '2' };
  const server = await startServerProcess(folder.path, environment);
  await eventually(30_000, () => server.stdout.filter((line) => line.includes('"server.ready"')).length === 2);
  const workers = childrenOf(server.child.pid ?? 0);
  assert.equal(workers.length, 2);
  server.child.kill('SIGKILL');
  await eventually(10_000, () => !workers.some(isAlive));
  await database.drop();
  folder.remove();
});
