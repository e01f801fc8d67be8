import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { quietSurroundings, testConfig } from './config.ts';
import { EmbeddedPostgres15, EmbeddedPostgres18 } from './embedded-postgres.ts';
import { freePort } from './free-port.ts';
import { startPostgresCluster } from './postgres-cluster.ts';

const folder = mkdtempSync(join(fastFolder(), 'writ-test-'));
const clusters: { stop(): Promise<void>; folder: string }[] = [];

/** The folder for databases, in memory if 4 GB are free there: each suite has a database of a thousand small files. */
function fastFolder(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 4e9 ? memory : tmpdir();
}

/** Starts the PostgreSQL servers, and makes a template database of each kind that has been through a first start. */
export async function globalSetup(): Promise<void> {
  process.env['WRIT_TEST_FOLDER'] = folder;
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compile-cache');
  await Promise.all([
    makeTemplate(`pglite:${join(folder, 'template')}`),
    startCluster('POSTGRES_18', (options) => new EmbeddedPostgres18(options)),
    startCluster('POSTGRES_15', (options) => new EmbeddedPostgres15(options)),
  ]);
}

export async function globalTeardown(): Promise<void> {
  for (const cluster of clusters) {
    await cluster.stop();
    rmSync(cluster.folder, { recursive: true, force: true });
  }
  rmSync(folder, { recursive: true, force: true });
}

async function startCluster(name: string, create: Parameters<typeof startPostgresCluster>[1]): Promise<void> {
  const databaseDir = `${folder}-${name.toLowerCase()}`;
  const cluster = await startPostgresCluster(databaseDir, create, ['fsync=off']);
  clusters.push({ stop: () => cluster.stop(), folder: databaseDir });
  process.env[`WRIT_TEST_${name}`] = cluster.url;
  await cluster.createDatabase('template_writ');
  await makeTemplate(`${cluster.url}/template_writ`);
}

async function makeTemplate(databaseUrl: string): Promise<void> {
  const config = testConfig({ DATABASE_URL: databaseUrl, PORT: String(await freePort()) });
  const server = await prepareServer(config, quietSurroundings());
  const app = await startApp(config, server, quietSurroundings());
  await app.close();
  await server.close();
}
