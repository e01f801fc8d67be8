/**
 * Measures the cost of a token: Writ, the floor and the raw library alternate in one run, and the results are medians
 * of the rounds. `npm run bench -- --help` lists the options that restrict a run.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import pg from 'pg';
import { EmbeddedPostgres18 } from '../test/support/embedded-postgres.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import type { Load, Method, Seen } from './load.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';
import { type Alg, leaveServerAlone, RAW, startPeer, startWrit, type Subject } from './subjects.ts';

interface Measurement extends Seen {
  /** Microseconds of CPU for one token. */
  readonly cpu: number;
  /** Statements for one token. */
  readonly statements: number;
  /** Bytes of resident memory. */
  readonly memory: number;
}

const { values: chosen } = parseArgs({
  options: {
    alg: { type: 'string', multiple: true, default: ['ES256', 'RS256'] },
    method: { type: 'string', multiple: true, default: ['secret', 'key'] },
    connections: { type: 'string', multiple: true, default: ['16', '64'] },
    subject: { type: 'string', multiple: true, default: [] },
    dpop: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
});

const FULL = 'Writ on PostgreSQL, 10,000 roles and 100,000 grants';
const FILLING = `
  insert into roles (role_key, role_id, name) select 'role_' || n, 'role-' || n, 'Role ' || n
    from generate_series(1, 10000) n on conflict do nothing;
  insert into role_permissions select 'role_' || n, 'full:' || n, 'default', false
    from generate_series(1, 10000) n on conflict do nothing;
  insert into service_accounts (client_id, slug, name, created_at, updated_at)
    select 'sa_full_' || n, 'full-' || n, 'Full ' || n, now(), now() from generate_series(1, 20000) n on conflict do nothing;
  insert into grants (grant_id, client_id, kind, name, role_key)
    select 'grant_full_' || n, 'sa_full_' || (1 + n % 20000), 'role', 'role-' || (1 + n % 10000), 'role_' || (1 + n % 10000)
    from generate_series(1, 100000) n on conflict do nothing;
  vacuum analyze;
  checkpoint`;

/** The tokens that each subject issues before the first round: the compiler of a young process costs more than a token. */
const WARM_UP = 30_000;

if (chosen.help) {
  say('--alg ES256|RS256  --method secret|key  --connections N  --subject NAME  (each may be repeated)');
  say('--dpop (every request has a DPoP proof)  --rounds 5  --tokens 20000 (a round)');
} else if (process.platform !== 'linux' || availableParallelism() < 2 || spawnSync('taskset', ['-V']).error) {
  say('skipped: this needs Linux (/proc), two cores, and taskset of util-linux');
} else {
  await bench();
}

async function bench(): Promise<void> {
  leaveServerAlone();
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const create = (
    options: ConstructorParameters<typeof EmbeddedPostgres18>[0],
  ): InstanceType<typeof EmbeddedPostgres18> => new EmbeddedPostgres18(options);
  const postgres = await startPostgresCluster(`${folder}-postgres`, create, []);
  try {
    for (const alg of chosen.alg as Alg[]) {
      const subjects: Subject[] = [];
      try {
        const wanted = (name: string): boolean =>
          chosen.subject.length === 0 || chosen.subject.some((part) => name.includes(part));
        const startIfWanted = async (name: string, start: () => Promise<Subject>): Promise<void> => {
          if (wanted(name)) subjects.push(await start());
        };
        await startIfWanted('floor', () => startPeer('floor', 'floor.ts', alg));
        await startIfWanted(RAW, () => startPeer(RAW, 'raw-library.ts', alg));
        for (const [name, database] of [
          ['Writ on PGlite', `pglite:${join(folder, `data-${alg}`)}`],
          ['Writ on PostgreSQL', `${postgres.url}/postgres`],
          [FULL, `${postgres.url}/full_${alg.toLowerCase()}`],
        ] as const) {
          await startIfWanted(name, async () => {
            if (name === FULL) await postgres.createDatabase(`full_${alg.toLowerCase()}`);
            const subject = await startWrit(name, alg, database, join(folder, 'keys'));
            if (name === FULL) await fill(database);
            return subject;
          });
        }
        await measureAll(alg, subjects);
      } finally {
        await Promise.all(subjects.map((subject) => subject.stop()));
      }
    }
  } finally {
    await postgres.stop();
    rmSync(`${folder}-postgres`, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Fills a database with 10,000 roles, and 100,000 grants of 20,000 accounts. */
async function fill(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of FILLING.split(';')) await client.query(statement);
  await client.end();
}

async function measureAll(alg: Alg, subjects: readonly Subject[]): Promise<void> {
  for (const method of chosen.method as Method[]) {
    for (const connections of chosen.connections.map(Number)) {
      const tokens = Number(chosen.tokens);
      const rows = subjects.flatMap((subject): Row[] => [
        { ...subject, method },
        ...(method === 'key' && subject.client.externalIssuer !== undefined ? [externally(subject)] : []),
      ]);
      const rounds = new Map<Row, Measurement[]>(rows.map((row) => [row, []]));
      for (const row of rows) await measure(row, { connections, tokens: WARM_UP });
      for (let round = 0; round < Number(chosen.rounds); round += 1) {
        for (const [row, measured] of rounds) measured.push(await measure(row, { connections, tokens }));
      }
      printTable(`${alg}, ${method}${chosen.dpop ? ' with DPoP' : ''}, ${connections} connections`, rounds);
    }
  }
}

/** A server with a method by which clients authenticate: one row of a table. */
interface Row extends Subject {
  readonly method: Method;
}

/** The row for clients that bring tokens of another issuer in place of assertions of their own. */
function externally(subject: Subject): Row {
  return { ...subject, name: `${subject.name}, external tokens`, method: 'external' };
}

async function measure(
  { pid, url, issuer, client, name, method }: Row,
  load: Pick<Load, 'connections' | 'tokens'>,
): Promise<Measurement> {
  const before = { cpu: cpuSeconds(pid), statements: await statements(name, issuer) };
  const options: Load = { url, issuer, client, method, dpop: chosen.dpop, ...load };
  const file = join(import.meta.dirname, 'load.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(options)]);
  const cpu = cpuSeconds(pid) - before.cpu;
  const seen: Seen = JSON.parse(stdout);
  if (seen.failures > 0) throw new Error(`${name} refused ${seen.failures} of ${load.tokens} requests`);
  return {
    ...seen,
    cpu: (cpu / load.tokens) * 1e6,
    statements: ((await statements(name, issuer)) - before.statements) / load.tokens,
    memory: residentBytes(pid),
  };
}

async function statements(name: string, issuer: string): Promise<number> {
  if (!name.startsWith('Writ')) return 0;
  const metrics = await (await fetch(`${issuer}/metrics`)).text();
  return Number(/^writ_database_queries_total (\d+)$/m.exec(metrics)?.[1]);
}

function printTable(title: string, rounds: ReadonlyMap<Row, readonly Measurement[]>): void {
  const middle = (measured: readonly Measurement[], what: keyof Measurement): number =>
    measured.map((one) => one[what]).toSorted((a, b) => a - b)[Math.floor(measured.length / 2)] ?? NaN;
  const raw = [...rounds].find(([{ name }]) => name === RAW)?.[1];
  say(`\n${title}\n`);
  say('| | CPU µs a token | to raw | tokens/s | p50 ms | p99 ms | statements a token | RSS MB |');
  say('|---|---|---|---|---|---|---|---|');
  for (const [{ name }, measured] of rounds) {
    const cpu = middle(measured, 'cpu');
    const ratio = raw === undefined ? '' : (cpu / middle(raw, 'cpu')).toFixed(2);
    const [rate, p50, p99] = [middle(measured, 'rate'), middle(measured, 'p50'), middle(measured, 'p99')];
    const [asked, memory] = [middle(measured, 'statements'), middle(measured, 'memory') / 1e6];
    say(
      `| ${name} | ${cpu.toFixed(0)} | ${ratio} | ${rate.toFixed(0)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${asked.toFixed(3)} | ${memory.toFixed(0)} |`,
    );
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
