/**
 * Measures what many accounts cost: CPU of a token, memory, and the start. A server with 10 accounts and servers with many
 * alternate in one run. `npm run bench:scale -- --help` lists the options.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { EmbeddedPostgres18 } from '../test/support/embedded-postgres.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import type { Load, Seen } from './load.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';
import { seed } from './seed.ts';
import { leaveServerAlone, RAW, startPeer, startWrit, type Subject } from './subjects.ts';

const { values: chosen } = parseArgs({
  options: {
    // Stored accounts, and those of them that ask for tokens.
    scale: { type: 'string', multiple: true, default: ['10/10', '100000/100000', '1000000/10000'] },
    connections: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
});

/** The tokens that each server issues before it is measured, beside one for each account that asks. */
const WARM_UP = 30_000;

interface Scaled {
  readonly name: string;
  readonly subject: Subject;
  readonly active: number;
  /** Seconds from the start of a process to its first token, on a database that has been started before. */
  readonly started: number;
  readonly cold: number;
  readonly cpu: number[];
  memory: number;
}

if (chosen.help) say('--scale STORED/ACTIVE (may be repeated)  --connections 16  --rounds 5  --tokens 20000');
else await bench();

async function bench(): Promise<void> {
  leaveServerAlone();
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const postgres = await startPostgresCluster(`${folder}-postgres`, (options) => new EmbeddedPostgres18(options), []);
  const all: Scaled[] = [];
  try {
    const raw = await startPeer(RAW, 'raw-library.ts', 'ES256');
    all.push({ name: RAW, subject: raw, active: 0, started: NaN, cold: residentBytes(raw.pid), cpu: [], memory: 0 });
    for (const [index, scale] of chosen.scale.entries()) {
      const [stored = 0, active = 0] = scale.split('/').map(Number);
      await postgres.createDatabase(`scale_${index}`);
      const url = `${postgres.url}/scale_${index}`;
      const name = `${stored.toLocaleString('en')} stored, ${active.toLocaleString('en')} ask`;
      const start = (): Promise<Subject> => startWrit(name, 'ES256', url, join(folder, 'keys'));
      await (await start()).stop();
      await seed(url, join(folder, 'keys'), { companies: Math.max(1, Math.round(stored / 100)), accounts: stored });
      const before = performance.now();
      const subject = await start();
      const started = (performance.now() - before) / 1000;
      all.push({ name, subject, active, started, cold: residentBytes(subject.pid), cpu: [], memory: 0 });
    }
    for (const one of all) await ask(one, WARM_UP + one.active);
    for (let round = 0; round < Number(chosen.rounds); round += 1) {
      for (const one of all) one.cpu.push(await ask(one, Number(chosen.tokens)));
    }
    const base = median(all[1]?.cpu ?? []);
    say('| | CPU µs a token | to raw | to the first | start s | RSS MB at the start | warm |');
    say('|---|---|---|---|---|---|---|');
    for (const { name, cpu, started, cold, memory } of all) {
      const middle = median(cpu);
      say(
        `| ${name} | ${middle.toFixed(0)} | ${(middle / median(all[0]?.cpu ?? [])).toFixed(2)} | ${(middle / base).toFixed(2)} | ${started.toFixed(2)} | ${(cold / 1e6).toFixed(0)} | ${(memory / 1e6).toFixed(0)} |`,
      );
    }
  } finally {
    await Promise.all(all.map(({ subject }) => subject.stop()));
    await postgres.stop();
    rmSync(`${folder}-postgres`, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks a server for tokens. @returns microseconds of CPU for one token */
async function ask(one: Scaled, tokens: number): Promise<number> {
  const { url, issuer, client, pid } = one.subject;
  const options: Load = {
    url,
    issuer,
    client,
    method: 'secret',
    dpop: false,
    connections: Number(chosen.connections),
    tokens,
    seeded: one.active,
  };
  const before = cpuSeconds(pid);
  const file = join(import.meta.dirname, 'load.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(options)]);
  const seen: Seen = JSON.parse(stdout);
  if (seen.failures > 0) throw new Error(`${one.name} refused ${seen.failures} of ${tokens} requests`);
  one.memory = residentBytes(pid);
  return ((cpuSeconds(pid) - before) / tokens) * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
