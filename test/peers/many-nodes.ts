/**
 * Lets four nodes serve behind HAProxy, on one PostgreSQL behind pgbouncer in transaction mode: how soon a change acts on
 * every node, whether an assertion gets one token, and whether a rolling restart under load fails a request. Debian:
 * haproxy, pgbouncer. Without pgbouncer the nodes reach the database directly.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { assertion, type ClientKey, clientKey } from '../support/assertions.ts';
import { ROOT, TEST_ENVIRONMENT } from '../support/config.ts';
import { EmbeddedPostgres18 } from '../support/embedded-postgres.ts';
import { freePort } from '../support/free-port.ts';
import { requestToken } from '../support/kept-connections.ts';
import { startPostgresCluster } from '../support/postgres-cluster.ts';
import { type ServerProcess, startServerProcess, tokenFrom } from '../support/server-process.ts';

const NODES = 4;
const CHANGES = 20;
const ASSERTIONS = 50;
const CLIENTS = 8;
const ISSUER = 'https://id.example';
/** Milliseconds within which a change acts on every node. */
const FRESH_WITHIN = 1000;

let failed = false;
if (has('haproxy', '-v')) await run();
else console.log('skipped: haproxy is not installed (Debian: haproxy)');

function has(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).error === undefined;
}

function check(what: string, holds: boolean): void {
  console.log(`${holds ? 'ok     ' : 'FAILED '} ${what}`);
  failed ||= !holds;
  process.exitCode = failed ? 1 : 0;
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-nodes-'));
  // The user of pgbouncer must be able to read its configuration.
  chmodSync(folder, 0o755);
  const postgres = await startPostgresCluster(`${folder}-postgres`, (options) => new EmbeddedPostgres18(options), []);
  const programs: { kill(): void }[] = [];
  try {
    const direct = `${postgres.url}/postgres`;
    const pooled = has('pgbouncer', '--version') ? await startPgbouncer(folder, direct, programs) : direct;
    console.log(
      pooled === direct ? 'pgbouncer is not installed: the nodes reach PostgreSQL directly' : 'behind pgbouncer',
    );
    const ports = await Promise.all(Array.from({ length: NODES }, freePort));
    const start = async (port: number): Promise<ServerProcess> => {
      const node = await startServerProcess(folder, {
        ...TEST_ENVIRONMENT,
        LOG_LEVEL: 'info',
        PORT: String(port),
        DATABASE_URL: pooled,
        WRIT_DATABASE_ADMIN_URL: direct,
        WRIT_ISSUER: ISSUER,
        WRIT_DRAIN: '3',
      });
      await node.ready();
      return node;
    };
    const nodes: ServerProcess[] = [];
    for (const port of ports) nodes.push(await start(port));
    const front = await startHaproxy(folder, ports, programs);
    try {
      const client = await registerClient(nodes);
      await measureFreshness(nodes, client);
      await replayEverywhere(nodes, client);
      await restartUnderLoad(front, nodes, (index) => start(ports[index] ?? 0));
    } finally {
      await Promise.all(nodes.map((node) => node.end('SIGINT')));
    }
  } finally {
    for (const program of programs) program.kill();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}-postgres`, { recursive: true, force: true });
  }
}

async function startPgbouncer(folder: string, target: string, programs: { kill(): void }[]): Promise<string> {
  const port = await freePort();
  const { hostname, port: targetPort, username, password } = new URL(target);
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(join(folder, 'users.txt'), `"${username}" "${password}"\n`);
  writeFileSync(
    file,
    `[databases]
postgres = host=${hostname} port=${targetPort} dbname=postgres user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
`,
  );
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const pooler = spawn('pgbouncer', [...user, file], { stdio: 'ignore' });
  programs.push({ kill: () => void pooler.kill('SIGTERM') });
  await setTimeout(1000);
  return `postgres://${username}:${password}@127.0.0.1:${port}/postgres`;
}

/** Starts HAProxy with the backend of docs/operate/production.md. */
async function startHaproxy(folder: string, ports: readonly number[], programs: { kill(): void }[]): Promise<string> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend id
    bind 127.0.0.1:${port}
    http-request del-header Client-Cert
    default_backend writ
backend writ
    option forwardfor
    option httpchk GET /health/ready
    http-check expect status 200
    default-server check inter 1s fall 2
${ports.map((each) => `    server node${each} 127.0.0.1:${each}`).join('\n')}
`,
  );
  const proxy = spawn('haproxy', ['-f', file, '-db'], { stdio: 'ignore' });
  programs.push({ kill: () => void proxy.kill('SIGTERM') });
  await setTimeout(1500);
  return `http://127.0.0.1:${port}`;
}

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly key: ClientKey;
  readonly api: (method: string, path: string, body?: object) => Promise<Response>;
}

async function registerClient([one]: readonly ServerProcess[]): Promise<Client> {
  if (one === undefined) throw new Error('there is no node');
  const { token } = await tokenFrom(one.url, ROOT);
  const api = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${one.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const key = clientKey('ES256');
  const reply = await api('POST', '/api/service-accounts', {
    name: 'Many nodes',
    permissions: ['orders:read'],
    credentials: [{ type: 'client_secret' }, { type: 'public_key', publicKey: key.jwk }],
  });
  const { clientId, clientSecret } = (await reply.json()) as Client;
  return { clientId, clientSecret, key, api };
}

/** Disables and enables an account at one node, and waits until every node says so. */
async function measureFreshness(nodes: readonly ServerProcess[], client: Client): Promise<void> {
  let worst = 0;
  for (let change = 0; change < CHANGES; change += 1) {
    const state = change % 2 === 0 ? 'disabled' : 'enabled';
    const wanted = state === 'disabled' ? 401 : 200;
    const reply = await client.api('PATCH', `/api/service-accounts/${client.clientId}`, { state });
    if (!reply.ok) throw new Error(await reply.text());
    const changed = performance.now();
    await Promise.all(
      nodes.map(async ({ url }) => {
        while ((await tokenFrom(url, client)).status !== wanted) await setTimeout(2);
      }),
    );
    worst = Math.max(worst, performance.now() - changed);
  }
  check(
    `${CHANGES} changes act on ${nodes.length} nodes, the slowest after ${worst.toFixed(0)} ms`,
    worst < FRESH_WITHIN,
  );
}

/** Sends each assertion to all nodes at once, and then again. */
async function replayEverywhere(nodes: readonly ServerProcess[], { clientId, key }: Client): Promise<void> {
  let [tokens, again] = [0, 0];
  for (let sent = 0; sent < ASSERTIONS; sent += 1) {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(key, clientId, ISSUER),
    });
    const all = async (): Promise<number> => {
      const replies = await Promise.all(nodes.map(({ url }) => fetch(`${url}/oauth/token`, { method: 'POST', body })));
      return replies.filter(({ ok }) => ok).length;
    };
    tokens += await all();
    again += await all();
  }
  check(`${ASSERTIONS} assertions, each sent to all nodes at once, get ${tokens} tokens`, tokens === ASSERTIONS);
  check(`the same assertions, sent again, get ${again} tokens`, again === 0);
}

/** Restarts one node after the other while clients ask through HAProxy. */
async function restartUnderLoad(
  front: string,
  nodes: ServerProcess[],
  start: (index: number) => Promise<ServerProcess>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const seen = new Map<number | string, number>();
  const ended = new AbortController();
  const load = Array.from({ length: CLIENTS }, async () => {
    while (!ended.signal.aborted) {
      const outcome = await requestToken(front, agent).then(
        ({ status }) => status,
        (error: unknown) => String(error),
      );
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      await setTimeout(10);
    }
  });
  for (const [index, node] of nodes.entries()) {
    await node.end();
    nodes[index] = await start(index);
    // HAProxy sends requests to the node again after two good checks.
    await setTimeout(2500);
  }
  ended.abort();
  await Promise.all(load);
  agent.destroy();
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
  check(
    `a rolling restart of ${nodes.length} nodes behind HAProxy, ${total} requests: ${JSON.stringify(Object.fromEntries(seen))}`,
    seen.size === 1 && seen.has(200),
  );
}
