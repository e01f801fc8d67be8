import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';

const sockets: Socket[] = [];
after(() => sockets.forEach((socket) => socket.destroy()));

/** The memory of a process, in MB. */
function memoryOf(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

describe('clients that send requests and read no answers', () => {
  test('delay no other client, and cost little memory', async () => {
    const folder = workFolder();
    const database = await postgres18.create();
    const environment = { ...TEST_ENVIRONMENT, DATABASE_URL: database.url, LOG_LEVEL: 'info' };
    const server = await startServerProcess(folder.path, environment);
    await server.ready();
    const before = memoryOf(server.child.pid);
    const asked = 'GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(300);
    for (let index = 0; index < 100; index += 1) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.pause();
      socket.write(asked);
    }
    for (let probe = 0; probe < 10; probe += 1) {
      const answer = await fetch(`${server.url}/oauth/token`, {
        method: 'POST',
        signal: AbortSignal.timeout(10_000),
      });
      assert.equal(answer.status, 415);
      await answer.text();
    }
    const growth = memoryOf(server.child.pid) - before;
    assert.ok(growth < 400, `${growth} MB more`);
    sockets.splice(0).forEach((socket) => socket.destroy());
    assert.equal(await server.end(), 0);
    await database.drop();
    folder.remove();
  });
});

describe('a log whose reader does not read', () => {
  test('does not stop the server, is bounded, and says how many lines are missing once it is read', async () => {
    const folder = workFolder();
    const database = await postgres18.create();
    const port = String(await freePort());
    // Standard output is a pipe, and this process does not read it.
    const child = spawn(process.execPath, [resolve('src/main.ts')], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], PORT: port, ...TEST_ENVIRONMENT, DATABASE_URL: database.url, WRIT_DRAIN: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const url = `http://127.0.0.1:${port}`;
    const ready = (): Promise<boolean> =>
      fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually(60_000, ready);
    const before = memoryOf(child.pid);
    const ask = (path: string): Promise<number> =>
      fetch(url + path, { signal: AbortSignal.timeout(20_000) }).then(async (answer) => {
        await answer.text();
        return answer.status;
      });
    // Each request makes a line. Together, the lines are far more than the pipe and the log hold.
    for (let round = 0; round < 200; round += 1) {
      const statuses = await Promise.all(
        Array.from({ length: 50 }, (_, index) => ask(`/api/${'y'.repeat(200)}/${index}`)),
      );
      assert.deepEqual(new Set(statuses), new Set([404]));
    }
    assert.equal(await ask('/health/live'), 200);
    const growth = memoryOf(child.pid) - before;
    assert.ok(growth < 300, `${growth} MB more`);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    await eventually(20_000, async () => {
      await ask('/api/read');
      return lines.some((line) => line.includes('"/api/read"'));
    });
    const events = lines.map((line): { event: string; count: number } => JSON.parse(line));
    const dropped = events.filter(({ event }) => event === 'log.dropped');
    assert.ok(dropped.length > 0);
    const refused = events.filter(({ event }) => event === 'management.refused').length;
    assert.ok(refused + dropped.reduce((sum, { count }) => sum + count, 0) >= 10_000);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(lines.some((line) => line.includes('server.stopping')));
    await database.drop();
    folder.remove();
  });
});
