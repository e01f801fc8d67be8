/**
 * Measures work in the background: to make the status list of a million credentials, and to record uses at 5,000 tokens
 * a second. It also measures how long it takes to add up the rights of one account. `npm run bench:background`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { ClientId, CompanyId, CredentialId } from '../src/domain/ids.ts';
import { effectivePermissions } from '../src/domain/permissions/rules/holdings.ts';
import { planToken } from '../src/domain/tokens/plan-token.ts';
import { startStatusLists } from '../src/oauth/status-lists.ts';
import { createStorage } from '../src/storage/create-storage.ts';
import { openPostgresDatabase } from '../src/storage/open-postgres-database.ts';
import { quietSurroundings } from '../test/support/config.ts';
import { EmbeddedPostgres18 } from '../test/support/embedded-postgres.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { newSigningKey } from '../test/support/signing-keys.ts';
import { cpuSecondsOfChildren, parentOf } from './process-usage.ts';

const CREDENTIALS = 1_000_000;
const ROUNDS = 7;
/** The number of measured calls. Some calls before them are not measured: they compile code and plan statements. */
const CALLS = 5000;
const NOTHING_ASKED = { resource: undefined, scope: undefined };
/** The tokens issued in the five seconds between two writes. */
const USES = 25_000;

const SEED = `
  insert into service_accounts (client_id, slug, name, created_at, updated_at)
    select 'sa_' || n, 'sa-' || n, 'x', now(), now() from generate_series(1, ${USES}) n;
  insert into credentials (credential_id, client_id, type, secret_hash, hint, created_at)
    select 'cred_' || n, 'sa_' || n, 'client_secret', sha256(n::text::bytea), 'x', now() from generate_series(1, ${USES}) n;
  insert into status_entries (list, idx, credential_id, client_id)
    select 0, n, 'cred_' || n, 'sa_' || n from generate_series(1, ${CREDENTIALS}) n;
  insert into companies (company_id, name, state, created_at, created_by, updated_at, revision)
    values ('acme', 'Acme', 'enabled', now(), 'sa_1', now(), 1);
  insert into service_accounts (client_id, company_id, slug, name, audience, created_at, updated_at)
    values ('sa_acme', 'acme', 'acme', 'x', 'default', now(), now());
  insert into groups (company_id, group_id, name, created_by)
    select 'acme', 'group-' || n, 'x', 'sa_1' from generate_series(1, 10) n;
  insert into group_members (client_id, company_id, group_id)
    select 'sa_acme', 'acme', 'group-' || n from generate_series(1, 10) n;
  insert into grants (grant_id, group_id, company_id, kind, name, resource_server, place)
    select 'grant_' || n, 'group-' || (1 + n % 10), 'acme', 'permission', 'orders:' || n, 'default', 'shop'
    from generate_series(1, 50) n;
  vacuum analyze`;

const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
const postgres = await startPostgresCluster(`${folder}-postgres`, (options) => new EmbeddedPostgres18(options), []);
const url = `${postgres.url}/postgres`;
const { clock, random } = quietSurroundings();
const silent = { debug() {}, warn() {}, error() {}, deprecate() {} };
const database = await openPostgresDatabase(
  { url, adminUrl: url, listenUrl: url },
  { patience: 5000, onWait: () => {}, log: silent },
);
try {
  await database.migrate();
  const { read } = createStorage(database.knex, database.tokensKnex, {
    clock,
    randomId: random.id,
    builtIn: { management: 'https://id.example/api', default: 'api://default' },
    onCommit: () => {},
  });
  // A connection of its own: the statements take longer than the pool allows.
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of SEED.split(';')) await client.query(statement);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = parentOf(rows[0]?.pid ?? 0) ?? 0;
  await client.end();
  say('| | median ms | bytes |');
  say('|---|---|---|');
  const key = await newSigningKey('ES256');
  for (const one_in of [1000, 100]) {
    await database.knex.raw(
      `update status_entries set revoked_at = now() where random() < 1.0 / ? and revoked_at is null`,
      [one_in],
    );
    const times: number[] = [];
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      const lists = startStatusLists({
        store: read.statuses,
        signingKeys: {
          current: () => ({ keys: [key], active: { ES256: key, RS256: key, PS256: key, EdDSA: key } }),
          onChange: () => undefined,
        },
        signingAlg: 'ES256',
        issuer: 'https://id.example',
        clock,
        onFailure: (error) => say(String(error)),
      });
      while (lists.published === undefined) await setTimeout(1);
      times.push(performance.now() - started);
      bytes = lists.published[0]?.gzipped.length ?? 0;
      await lists.close();
    }
    say(`| status list of ${CREDENTIALS} credentials, one in ${one_in} revoked | ${median(times)} | ${bytes} |`);
  }
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const uses = Array.from({ length: USES }, (_, index) => ({
      clientId: `sa_${index + 1}` as ClientId,
      credentialId: `cred_${index + 1}` as CredentialId,
      count: 1,
      usedAt: new Date(),
      source: '192.0.2.1',
    }));
    const started = performance.now();
    await read.uses.record(uses);
    times.push(performance.now() - started);
  }
  say(`| one statement each 5 s: the uses of ${USES} credentials | ${median(times)} | |`);

  let statements = 0;
  database.knex.on('query', () => (statements += 1));
  const settings = {
    issuer: 'https://id.example',
    profile: 'standard',
    signingAlg: 'ES256',
    tokenTtl: 900,
    tokenMaxTtl: 86_400,
    tokenMaxBytes: 6144,
  } as const;
  const cpu = (): number =>
    process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 + cpuSecondsOfChildren(postmaster);
  for (const calls of [500, CALLS]) {
    statements = 0;
    const before = cpu();
    for (let call = 0; call < calls; call += 1) {
      const snapshot = await read.serviceAccounts.find('acme' as CompanyId, 'sa_acme');
      if (snapshot === undefined) throw new Error('it was seeded');
      JSON.stringify([
        effectivePermissions(snapshot, snapshot.account.company),
        planToken(snapshot, NOTHING_ASKED, settings),
      ]);
    }
    if (calls < CALLS) continue;
    say(
      `| effective permissions, 50 grants through 10 groups, ${statements / calls} statements: CPU with PostgreSQL's | ${(((cpu() - before) / calls) * 1000).toFixed(2)} | |`,
    );
  }
} finally {
  await database.close();
  await postgres.stop();
  rmSync(`${folder}-postgres`, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
