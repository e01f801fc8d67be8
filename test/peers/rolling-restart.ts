/**
 * Restarts two nodes behind nginx one after the other, again and again, while clients ask for tokens on kept
 * connections: no request may fail. The program needs nginx (Debian: nginx-light).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { EmbeddedPostgres18 } from '../support/embedded-postgres.ts';
import { freePort } from '../support/free-port.ts';
import { requestToken } from '../support/kept-connections.ts';
import { startPostgresCluster } from '../support/postgres-cluster.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { nginxArguments } from './nginx.ts';

const ROUNDS = Number(process.argv[2] ?? 10);
const CLIENTS = 8;

if (spawnSync('nginx', ['-v']).error === undefined) await run();
else console.log('skipped: nginx is not installed (Debian: nginx-light)');

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-rolling-'));
  const postgres = await startPostgresCluster(`${folder}-postgres`, (options) => new EmbeddedPostgres18(options), []);
  const ports = [await freePort(), await freePort()];
  const front = await freePort();
  const start = async (port: number): Promise<ServerProcess> => {
    const node = await startServerProcess(folder, {
      ...TEST_ENVIRONMENT,
      LOG_LEVEL: 'warn',
      PORT: String(port),
      DATABASE_URL: `${postgres.url}/postgres`,
      WRIT_ISSUER: 'https://id.example',
      WRIT_DRAIN: '3',
    });
    // At this log level, no line says that the node is ready.
    for (;;) {
      const ready = await fetch(`${node.url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return node;
      await setTimeout(50);
    }
  };

  const written = nginxArguments(
    folder,
    `upstream writ { ${ports.map((port) => `server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join(' ')} keepalive 16; }
  server {
    listen 127.0.0.1:${front};
    location / { proxy_pass http://writ; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
  );
  const nodes = [await start(ports[0] ?? 0), await start(ports[1] ?? 0)];
  const nginx = spawn('nginx', written, { stdio: 'ignore' });
  await setTimeout(500);

  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const seen = new Map<number | string, number>();
  const ended = new AbortController();
  const load = Array.from({ length: CLIENTS }, async () => {
    while (!ended.signal.aborted) {
      const outcome = await requestToken(`http://127.0.0.1:${front}`, agent).then(
        ({ status }) => status,
        (error: unknown) => String(error),
      );
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      // With this pause, the clients send some 400 requests a second.
      await setTimeout(15);
    }
  });
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const index of [0, 1]) {
        await nodes[index]?.end();
        nodes[index] = await start(ports[index] ?? 0);
        await setTimeout(1500);
      }
    }
  } finally {
    ended.abort();
    await Promise.all(load);
    agent.destroy();
    nginx.kill();
    await Promise.all(nodes.map((node) => node.end()));
    await postgres.stop();
    console.log(readFileSync(join(folder, 'error.log'), 'utf8').trim());
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}-postgres`, { recursive: true, force: true });
  }
  console.log(`${ROUNDS} rolling restarts of two nodes behind nginx:`, Object.fromEntries(seen));
  process.exitCode = seen.size === 1 && seen.has(200) ? 0 : 1;
}
