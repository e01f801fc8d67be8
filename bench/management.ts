/**
 * Measures how long the management API takes with many accounts in the database. Each kind of call is sent at a fixed
 * rate. `npm run bench:management -- --call create` measures only the calls whose names contain "create".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { EmbeddedPostgres18 } from '../test/support/embedded-postgres.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { cpuSeconds, cpuSecondsOfChildren, parentOf } from './process-usage.ts';
import { ALL_CORES, BENCH_ROOT, rootToken, startWrit } from './subjects.ts';

const { values: chosen } = parseArgs({
  options: {
    accounts: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '200' },
    // A round is long enough for rare work: the server collects its garbage every 20 to 30 seconds.
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '3' },
    call: { type: 'string', default: '' },
  },
});

interface Call {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: () => string;
}

/** `p50` and `p99`: milliseconds of latency; `cpu` and `cpuInPostgres`: milliseconds of CPU for one call. */
interface Measurement {
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly cpuInPostgres: number;
}

/** SQL for a hundred companies, and for accounts with credentials, grants and groups. */
const SEED = `
  insert into companies (company_id, name, state, created_at, created_by, updated_at, revision)
    select 'company-' || n, 'Company ' || n, 'enabled', now(), $1, now(), 1 from generate_series(0, 99) n;
  insert into service_accounts (client_id, company_id, slug, name, audience, created_at, created_by, updated_at)
    select 'sa_seed_' || n, case when n % 2 = 0 then null else 'company-' || n % 100 end, 'seed-' || n, 'Seed ' || n,
      'default', now() - n * interval '1 second', $1, now() from generate_series(1, $2) n;
  insert into credentials (credential_id, client_id, company_id, type, secret_hash, hint, created_at)
    select 'cred_seed_' || client_id, client_id, company_id, 'client_secret', sha256(client_id::bytea), 'writ_seed', now()
    from service_accounts where client_id like 'sa_seed_%';
  insert into grants (grant_id, client_id, company_id, kind, name, resource_server)
    select 'grant_seed_' || client_id || p, client_id, company_id, 'permission', 'orders:' || p, 'default'
    from service_accounts, unnest(array['read', 'write', 'delete']) p where client_id like 'sa_seed_%';
  insert into groups (company_id, group_id, name, created_by) select 'company-7', 'bench-' || n, 'Bench ' || n, $1
    from generate_series(1, 10) n;
  insert into group_members (client_id, company_id, group_id) select 'sa_seed_7', 'company-7', 'bench-' || n
    from generate_series(1, 10) n;
  insert into grants (grant_id, group_id, company_id, kind, name, resource_server, place)
    select 'grant_bench_' || n, 'bench-' || (1 + n % 10), 'company-7', 'permission', 'bench:' || n, 'default', 'shop'
    from generate_series(1, 50) n;
  vacuum analyze;
  checkpoint`;

const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
const postgres = await startPostgresCluster(`${folder}-postgres`, (options) => new EmbeddedPostgres18(options), []);
try {
  const database = `${postgres.url}/postgres`;
  const subject = await startWrit('Writ on PostgreSQL', 'ES256', database, join(folder, 'keys'), ALL_CORES);
  try {
    const client = new pg.Client(database);
    await client.connect();
    for (const statement of SEED.split(';')) {
      await client.query(statement.replaceAll('$1', `'${BENCH_ROOT.clientId}'`).replaceAll('$2', chosen.accounts));
    }
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const postmaster = parentOf(rows[0]?.pid ?? 0) ?? 0;
    await client.end();
    const pids = { server: subject.pid, postmaster };
    const any = (): string => String(1 + Math.floor(Math.random() * (Number(chosen.accounts) / 2)) * 2 + 1);
    const all: readonly Call[] = [
      { name: 'create', method: 'POST', path: () => '/api/service-accounts' },
      { name: 'create in a company', method: 'POST', path: () => '/api/companies/company-7/service-accounts' },
      { name: 'read by id', method: 'GET', path: () => `/api/service-accounts/sa_seed_${any()}` },
      { name: 'read by slug', method: 'GET', path: () => `/api/service-accounts/seed-${any()}` },
      { name: 'list a page of 50', method: 'GET', path: () => '/api/service-accounts?limit=50' },
      {
        name: 'list a page of 50 of a company',
        method: 'GET',
        path: () => '/api/companies/company-7/service-accounts?limit=50',
      },
      {
        name: 'search, 50 at most',
        method: 'GET',
        path: () => `/api/service-accounts?limit=50&search=seed-${any().slice(0, 3)}`,
      },
      {
        name: 'effective permissions, 50 grants through 10 groups',
        method: 'GET',
        path: () => '/api/companies/company-7/service-accounts/sa_seed_7/effective-permissions',
      },
    ];
    const calls = all.filter(({ name }) => name.includes(chosen.call));
    const measured = calls.map((): Measurement[] => []);
    // The first calls are not measured: they compile code that a server which has run for a while has compiled already.
    for (const call of calls) await measure(call, subject.issuer, pids);
    for (let round = 0; round < Number(chosen.rounds); round += 1) {
      for (const [index, call] of calls.entries()) {
        measured[index]?.push(await measure(call, subject.issuer, pids));
      }
    }
    say(`${chosen.accounts} accounts, ${chosen.rate} requests a second offered for ${chosen.seconds} s each;`);
    say(`medians of ${chosen.rounds} rounds, and each round's 99th percentile\n`);
    say('| | p50 ms | p99 ms | of each round | CPU ms | in PostgreSQL |');
    say('|---|---|---|---|---|---|');
    for (const [index, { name }] of calls.entries()) {
      const rounds = measured[index] ?? [];
      const p99s = rounds.map(({ p99 }) => p99);
      const [p50, p99] = [median(rounds.map((round) => round.p50)), median(p99s)].map((value) => value.toFixed(1));
      const [cpu, inPostgres] = [
        median(rounds.map((round) => round.cpu)),
        median(rounds.map((round) => round.cpuInPostgres)),
      ].map((value) => value.toFixed(2));
      const each = p99s.map((value) => value.toFixed(1)).join(', ');
      say(`| ${name} | ${p50} | ${p99} | ${each} | ${cpu} | ${inPostgres} |`);
    }
  } finally {
    await subject.stop();
  }
} finally {
  await postgres.stop();
  rmSync(`${folder}-postgres`, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

/** Sends requests at fixed moments, even if earlier requests have not been answered. */
async function measure(
  { name, method, path }: Call,
  url: string,
  pids: { readonly server: number; readonly postmaster: number },
): Promise<Measurement> {
  // Each round gets a new token: a token expires before the whole run is over.
  const authorization = `Bearer ${await rootToken(url)}`;
  const before = { server: cpuSeconds(pids.server), postgres: cpuSecondsOfChildren(pids.postmaster) };
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const latency = createHistogram();
  const pause = 1000 / Number(chosen.rate);
  const started = performance.now();
  const requests = Array.from({ length: Number(chosen.rate) * Number(chosen.seconds) }, async (_, index) => {
    const due = started + index * pause;
    await setTimeout(Math.max(1, due - performance.now()));
    const body = JSON.stringify({ name: `${name} ${started} ${index}`, permissions: ['orders:read'] });
    const status = await send(url + path(), method, agent, authorization, method === 'POST' ? body : undefined);
    if (status >= 300) throw new Error(`${name} was answered with ${status}`);
    // Time is measured from the moment at which the request was due: waiting for slow requests counts, too.
    latency.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
  });
  await Promise.all(requests);
  agent.destroy();
  return {
    p50: latency.percentile(50) / 1000,
    p99: latency.percentile(99) / 1000,
    cpu: ((cpuSeconds(pids.server) - before.server) / requests.length) * 1000,
    cpuInPostgres: ((cpuSecondsOfChildren(pids.postmaster) - before.postgres) / requests.length) * 1000,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function send(
  url: string,
  method: string,
  agent: Agent,
  authorization: string,
  body: string | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: authorization,
      ...(body !== undefined && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    };
    request(url, { method, agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end(body);
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
