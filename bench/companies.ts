/**
 * Measures how much one company slows another one down, and the cost of limits: `npm run bench:companies`.
 *
 * Two servers run beside each other, each on a database of its own. On one server a company has as much of everything
 * as its limits allow; on the other server the same company has a hundredth of it. On both servers the clients of this
 * company work at the same steady pace.
 *
 * A second company is measured on both servers by turns: tokens by secret and by key, and reading an account.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { stringify } from 'node:querystring';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { EmbeddedPostgres18 } from '../test/support/embedded-postgres.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { cpuSeconds, cpuSecondsOfChildren, parentOf } from './process-usage.ts';
import { ALL_CORES, BENCH_ROOT, rootToken, startWrit, type Subject } from './subjects.ts';

const { values: chosen } = parseArgs({
  options: {
    rate: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '7' },
    registrations: { type: 'string', default: '400' },
  },
});

/** The default limit of the accounts of a company. */
const ACCOUNTS = 10_000;

const SEED = `
  insert into companies (company_id, name, state, created_at, created_by, updated_at, revision) values
    ('full', 'Full', 'enabled', now(), $1, now(), 1), ('other', 'Other', 'enabled', now(), $1, now(), 1);
  insert into service_accounts (client_id, company_id, slug, name, audience, created_at, created_by, updated_at)
    select 'sa_full_' || n, 'full', 'full-' || n, 'Full ' || n, 'default', now() - n * interval '1 second', $1, now()
    from generate_series(1, $2) n;
  insert into credentials (credential_id, client_id, company_id, type, secret_hash, hint, data, created_at)
    select 'cred_' || k || client_id, client_id, company_id, 'client_secret', sha256((client_id || k)::bytea), 'x', '{}', now()
    from service_accounts, generate_series(1, 2) k where company_id = 'full';
  insert into roles (role_key, company_id, role_id, name)
    select 'role_full_' || n, 'full', 'r' || n, 'R' from generate_series(1, $2 / 10) n;
  insert into role_permissions (role_key, permission, resource_server, qualified)
    select 'role_full_' || n, 'p:' || n || ':' || k, 'default', false
    from generate_series(1, $2 / 10) n, generate_series(1, 10) k;
  insert into groups (company_id, group_id, name) select 'full', 'g' || n, 'G' from generate_series(1, $2 / 10) n;
  insert into group_members (client_id, company_id, group_id)
    select 'sa_full_' || (1 + n % $2), 'full', 'g' || (1 + n % ($2 / 10)) from generate_series(1, $2 * 5) n
    on conflict do nothing;
  insert into grants (grant_id, group_id, company_id, kind, name, role_key, place, qualified)
    select 'grant_g' || n, 'g' || n, 'full', 'role', 'r' || n, 'role_full_' || n, '', false
    from generate_series(1, $2 / 10) n;
  insert into resource_servers (resource_server_id, company_id, identifier, identifier_key, name, token_type)
    select 'rs_full_' || n, 'full', 'api://full/' || n, 'api://full/' || n, 'S', 'at+jwt' from generate_series(1, $2 / 10) n;
  insert into grants (grant_id, client_id, company_id, kind, name, resource_server)
    select 'grant_' || k || client_id, client_id, company_id, 'permission', 'x:' || k, 'default'
    from service_accounts, generate_series(1, 20) k where company_id = 'full';
  vacuum analyze;
  checkpoint`;

/** A server with its database and its two companies. */
interface World {
  readonly subject: Subject;
  readonly postmaster: number;
  /** The account that manages the accounts of the first company. */
  readonly full: Account;
  /** The account that manages the accounts of the second company. */
  readonly other: Account;
}

interface Account {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly path: string;
}

type Send = () => Promise<number>;

const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const stops: (() => Promise<unknown>)[] = [];
try {
  const worlds = [await makeWorld('ordinary', 100), await makeWorld('full', ACCOUNTS)] as const;
  await measureOther(worlds);
  await measureRegistrations(worlds[1]);
} finally {
  for (const stop of stops.toReversed()) await stop();
  agent.destroy();
  rmSync(folder, { recursive: true, force: true });
}

async function makeWorld(name: string, accounts: number): Promise<World> {
  // The path is beside the folder, not in it: only this user may enter the folder.
  const own = `${folder}-${name.replaceAll(' ', '-')}`;
  const postgres = await startPostgresCluster(`${own}-postgres`, (options) => new EmbeddedPostgres18(options), []);
  stops.push(async () => {
    await postgres.stop();
    for (const made of [own, `${own}-postgres`]) rmSync(made, { recursive: true, force: true });
  });
  const database = `${postgres.url}/postgres`;
  const subject = await startWrit(name, 'ES256', database, own, ALL_CORES);
  stops.push(() => subject.stop());
  const client = new pg.Client(database);
  // When something else fails, the database stops first, which causes an error on this connection.
  client.on('error', () => {});
  await client.connect();
  for (const statement of SEED.split(';')) {
    await client.query(statement.replaceAll('$1', `'${BENCH_ROOT.clientId}'`).replaceAll('$2', String(accounts)));
  }
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = parentOf(rows[0]?.pid ?? 0) ?? 0;
  await client.end();
  const token = await rootToken(subject.issuer);
  const register = async (company: string, limits: object): Promise<Account> => {
    const path = `/api/companies/${company}`;
    // The limits leave room for one more account, which manages the others.
    await call(subject, 'PATCH', path, token, { limits });
    const publicKey = subject.client.publicJwk;
    const { clientId, clientSecret } = await call(subject, 'POST', `${path}/service-accounts`, token, {
      name: 'Manages',
      roles: ['company-owner'],
      credentials: [{ type: 'client_secret' }, { type: 'public_key', publicKey }],
    });
    return { clientId: String(clientId), clientSecret: String(clientSecret), path: `${path}/service-accounts` };
  };
  const limits = { serviceAccounts: accounts + 1, credentials: accounts * 2 + 2 };
  return { subject, postmaster, full: await register('full', limits), other: await register('other', {}) };
}

/** Measures the second company in both worlds by turns, while the clients of the first company work. */
async function measureOther(worlds: readonly [World, World]): Promise<void> {
  say(
    `A company at its limits (${ACCOUNTS} accounts, twice as many credentials, a tenth of groups, roles and APIs) works beside another.`,
  );
  say(
    `${chosen.rate} requests a second offered of each kind, ${chosen.seconds} s, by turns; all of ${chosen.rounds} rounds together.\n`,
  );
  const kinds = ['token by secret', 'token by key', 'read an account'];
  const seen = worlds.map(() => kinds.map(() => createHistogram()));
  for (let round = -1; round < Number(chosen.rounds); round += 1) {
    for (const [at, world] of worlds.entries()) {
      const stop = new AbortController();
      const busy = await keepBusy(world, stop.signal);
      for (const [index, send] of (await sendersOf(world, world.other)).entries()) {
        // The first round is not measured: code is compiled in it.
        const latency = (round >= 0 && seen[at]?.[index]) || createHistogram();
        await offered(send, Number(chosen.rate), Number(chosen.seconds) / 3, latency);
      }
      stop.abort();
      await busy.done;
    }
  }
  say('| | beside a company of 100 accounts, p99 ms | beside a full one | ratio |');
  say('|---|---|---|---|');
  for (const [index, kind] of kinds.entries()) {
    const [ordinary = 1, full = 0] = seen.map((of) => (of[index]?.percentile(99) ?? 0) / 1000);
    say(`| ${kind} | ${ordinary.toFixed(1)} | ${full.toFixed(1)} | ${(full / ordinary).toFixed(2)} |`);
  }
}

/** The requests of an account: a token by secret, a token by key, and reading the account itself. */
async function sendersOf({ subject }: World, { clientId, clientSecret, path }: Account): Promise<Send[]> {
  const key = createPrivateKey({ key: subject.client.privateJwk, format: 'jwk' });
  const header = encode({ alg: 'ES256', kid: subject.client.publicJwk.kid });
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const token = await tokenOf(subject, basic);
  return [
    () => post(`${subject.issuer}/oauth/token`, { ...form, Authorization: basic }, 'grant_type=client_credentials'),
    () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: clientId, sub: clientId, aud: subject.issuer, jti: randomUUID(), iat: now, exp: now + 60 };
      const signed = `${header}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
      const body = stringify({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${signed}.${signature}`,
      });
      return post(`${subject.issuer}/oauth/token`, form, body);
    },
    () => get(`${subject.issuer}${path}/${clientId}`, token),
  ];
}

/** Lets the clients of the first company work at a steady pace: they read, list, and register one account too many. */
async function keepBusy(world: World, signal: AbortSignal): Promise<{ readonly done: Promise<void> }> {
  const { subject, full } = world;
  const basic = `Basic ${Buffer.from(`${full.clientId}:${full.clientSecret}`).toString('base64')}`;
  const token = await tokenOf(subject, basic);
  const url = subject.issuer + full.path;
  const json = { Authorization: token, 'Content-Type': 'application/json' };
  const works: Send[] = [
    () => get(`${url}?limit=50`, token),
    () => get(`${url}/sa_full_7/effective-permissions`, token),
    () => get(`${subject.issuer}/api/companies/full/credentials?limit=50&lastUsedBefore=P1D`, token),
    () => get(`${subject.issuer}/api/companies/full/groups?limit=50`, token),
    () => get(`${subject.issuer}/api/companies/full/roles?limit=50`, token),
    () => post(url, json, JSON.stringify({ name: 'One too many' })),
  ];
  const work = async (): Promise<void> => {
    const sent: Promise<number>[] = [];
    for (let index = 0; !signal.aborted; index += 1) {
      const send = works[index % works.length];
      if (send !== undefined) sent.push(send());
      await setTimeout(50);
    }
    await Promise.all(sent);
  };
  return { done: work() };
}

/**
 * Measures registrations by turns: as root, which has no limits, in a small company with limits, and in a large company
 * with limits.
 */
async function measureRegistrations({ subject, postmaster, full, other }: World): Promise<void> {
  const token = await rootToken(subject.issuer);
  await call(subject, 'PATCH', '/api/companies/full', token, { limits: { serviceAccounts: 1e6, credentials: 1e6 } });
  const places = [
    ['as root, without limits', '/api/service-accounts'],
    ['in a small company', other.path],
    [`in a company of ${ACCOUNTS} accounts`, full.path],
  ] as const;
  const costs = places.map((): number[] => []);
  const amount = Number(chosen.registrations);
  for (let round = -1; round < Number(chosen.rounds); round += 1) {
    for (const [at, [, path]] of places.entries()) {
      const authorization = `Bearer ${await rootToken(subject.issuer)}`;
      const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
      const used = (): number => cpuSeconds(subject.pid) + cpuSecondsOfChildren(postmaster);
      const before = used();
      for (let index = 0; index < amount; index += 4) {
        const sent = await Promise.all(
          [0, 1, 2, 3].map(() =>
            post(subject.issuer + path, headers, JSON.stringify({ name: randomUUID(), permissions: ['orders:read'] })),
          ),
        );
        if (sent.some((status) => status !== 201)) throw new Error(`a registration was answered with ${sent.join()}`);
      }
      if (round >= 0) costs[at]?.push(((used() - before) / amount) * 1000);
    }
  }
  const [first = 1] = costs.map(median);
  say(`\n${amount} registrations by turns, four at a time; medians of ${chosen.rounds} rounds.\n`);
  say('| | CPU ms of one, server and PostgreSQL | to root |');
  say('|---|---|---|');
  for (const [at, [name]] of places.entries()) {
    const cost = median(costs[at] ?? []);
    say(`| ${name} | ${cost.toFixed(2)} | ${(cost / first).toFixed(2)} |`);
  }
}

/** Sends requests at fixed moments, even if earlier requests have not been answered. */
async function offered(send: Send, rate: number, seconds: number, latency: RecordableHistogram): Promise<void> {
  const started = performance.now();
  await Promise.all(
    Array.from({ length: Math.round(rate * seconds) }, async (_, index) => {
      const due = started + (index * 1000) / rate;
      await setTimeout(Math.max(1, due - performance.now()));
      const status = await send();
      if (status !== 200) throw new Error(`answered with ${status}`);
      // Time is measured from the moment at which the request was due: waiting for slow requests counts, too.
      latency.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
    }),
  );
}

async function tokenOf({ issuer }: Subject, basic: string): Promise<string> {
  const reply = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    headers: { Authorization: basic },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/api` }),
  });
  const { access_token: token } = (await reply.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`no token: ${reply.status}`);
  return `Bearer ${token}`;
}

async function call(
  { issuer }: Subject,
  method: string,
  path: string,
  token: string,
  body: object,
): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(issuer + path, { method, headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as Record<string, unknown>;
}

function get(url: string, authorization: string): Promise<number> {
  return send(url, 'GET', { Authorization: authorization });
}

function post(url: string, headers: Record<string, string>, body: string): Promise<number> {
  return send(url, 'POST', { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }, body);
}

function send(url: string, method: string, headers: Record<string, string>, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method, agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end(body);
  });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
