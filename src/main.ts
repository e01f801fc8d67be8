import cluster from 'node:cluster';
import { enableCompileCache } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import manifest from '../package.json' with { type: 'json' };
import type { Config } from './config/parse-config.ts';
import type { Logger } from './observability/logger.ts';
import type { Metrics } from './observability/metrics.ts';
import type { Surroundings } from './start/surroundings.ts';
import type { Channel, Peers } from './workers/peers.ts';

/** The most milliseconds that the process waits, before it ends, until the log has been read. */
const FLUSHING = 1000;
/** The most milliseconds that the health check waits for an answer: the container ends the check a second later. */
const HEALTH_PATIENCE = 2000;
/** Errors whose message tells the operator everything: only the message is printed. */
const EXPECTED: ReadonlySet<string> = new Set([
  'DataFolderInUseError',
  'DomainError',
  'KeyEncryptionKeyError',
  'RootFileError',
  'SigningKeyFileError',
  'TlsFileError',
  'UndecryptableError',
  'UnsuitableDatabaseError',
]);

// The cache stands beside the code: whoever can write to it can run code in this process, and the folder that Node.js takes
// by itself is one of everybody. Where `npm start` has not named the cache already, it has the files that are imported
// from here on.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));
const [
  { ConfigError, parseConfig },
  { createLogOutput },
  { createLogger },
  { createMetrics },
  { firstStartBanner },
  { random },
  { systemClock },
  { ALONE, connectPeers },
] = await Promise.all([
  import('./config/parse-config.ts'),
  import('./observability/log-output.ts'),
  import('./observability/logger.ts'),
  import('./observability/metrics.ts'),
  import('./start/first-start-banner.ts'),
  import('./start/random.ts'),
  import('./start/system-clock.ts'),
  import('./workers/peers.ts'),
]);
const output = createLogOutput(process.stdout, systemClock);
await run(process.argv.slice(2));

async function run(command: readonly string[]): Promise<void> {
  try {
    const { config, warnings } = parseConfig(process.env);
    if (command.join(' ') === 'health') return await checkHealth(config);
    const logger = createLogger(config.logLevel, process.stdout.isTTY, output).child(
      cluster.worker === undefined ? {} : { worker: cluster.worker.id },
    );
    routeConsole(logger);
    if (cluster.isPrimary) for (const warning of warnings) logger.warn({ event: 'setting.ignored' }, warning);
    process.on('uncaughtException', (error) => {
      logger.fatal({ event: 'process.failed', err: error });
      void exit(1);
    });
    const workers = config.workers === 'auto' ? availableParallelism() : config.workers;
    const peers = cluster.isWorker ? connectPeers(channelToPrimary()) : ALONE;
    const surroundings = {
      clock: systemClock,
      random,
      logger,
      metrics: metricsOf(peers),
      peers,
      pid: process.pid,
      memory: memoryOfProcess() / workers,
      databasePatience: 30_000,
    };
    switch (command.join(' ')) {
      case '':
        if (cluster.isPrimary && workers > 1) return await supervise(workers, logger);
        return await serve(config, surroundings);
      case 'root recover':
        return await recover(config, surroundings);
      case 'keys encrypt-anew':
        return await encryptKeysAnew(config, surroundings);
      default:
        await fail(
          `There is no command "${command.join(' ')}"; the commands are: npm start, npm run root -- recover, npm run keys -- encrypt-anew, node src/main.ts health`,
        );
    }
  } catch (error) {
    await fail(error instanceof ConfigError || isExpected(error) ? error.message : error);
  }
}

/** Runs processes that serve in place of this one, until a signal ends them. */
async function supervise(count: number, logger: Logger): Promise<void> {
  const { startWorkers } = await import('./workers/start-workers.ts');
  const workers = startWorkers(count, { logger, now: () => performance.now() });
  // A signal may arrive twice, directly and through npm, and a terminal sends it to the workers as well.
  process.on('SIGTERM', () => workers.stop('SIGTERM'));
  process.on('SIGINT', () => workers.stop('SIGINT'));
  process.on('SIGUSR2', () => void workers.roll());
  await exit(await workers.ended);
}

/** The channel of a worker, which may be closed already: the primary process may have been killed. */
function channelToPrimary(): Channel {
  return {
    send(message) {
      if (process.connected) process.send?.(message);
    },
    onMessage: (received) => void process.on('message', received),
  };
}

/** The metrics of this process, which also render the metrics of its peers. */
function metricsOf(peers: Peers): Metrics {
  const metrics = createMetrics({ version: manifest.version, node: process.version });
  if (peers === ALONE) return metrics;
  peers.answer('metrics', metrics.values);
  return { ...metrics, render: async () => metrics.renderWith(await peers.ask('metrics')) };
}

async function serve(config: Config, surroundings: Surroundings): Promise<void> {
  const { logger } = surroundings;
  let stop = (_drain: number): void => void exit(0);
  // A signal may arrive twice, directly and through npm: the second one finds the server stopping already.
  process.on('SIGTERM', () => stop(config.drain));
  // SIGINT comes from a person at the terminal, who need not wait for load balancers.
  process.on('SIGINT', () => stop(0));

  const [{ prepareServer }, { startApp }] = await Promise.all([
    import('./start/prepare-server.ts'),
    import('./app.ts'),
  ]);
  const server = await prepareServer(config, surroundings);
  const app = await startApp(config, server, surroundings);
  let stopping = false;
  stop = (drain) => {
    if (drain === 0) app.stopDraining();
    if (stopping) return;
    stopping = true;
    logger.info({ event: 'server.stopping', drain });
    app
      .close(drain)
      .then(() => server.close())
      .then(() => exit(0), fail);
  };
  logger.info({ event: 'server.ready', issuer: config.issuer, host: config.host, port: config.port });
  surroundings.peers.ready();
  if (app.firstRoot !== undefined) {
    const where = {
      base: publicAddress(config),
      management: managementAddress(config),
      clientKey: config.clientKeys.length > 0,
      profile: config.profile,
    };
    process.stdout.write(firstStartBanner(where, app.firstRoot));
  }
}

async function recover(config: Config, surroundings: Surroundings): Promise<void> {
  const { recoverRootAccount } = await import('./start/recover-root-account.ts');
  const { clientId, clientSecret } = await recoverRootAccount(config, surroundings);
  process.stdout.write(`${JSON.stringify({ clientId, clientSecret }, undefined, 2)}\n`);
}

async function encryptKeysAnew(config: Config, surroundings: Surroundings): Promise<void> {
  const { encryptAnew } = await import('./start/encrypt-anew.ts');
  process.stdout.write(`${JSON.stringify({ encryptedAnew: await encryptAnew(config, surroundings) })}\n`);
}

/** The health check of a container: ends with 0 when the server with the same settings is ready, and else with 1. */
async function checkHealth(config: Config): Promise<void> {
  const address = `${managementAddress(config)}/health/ready`;
  const { get } = await (address.startsWith('https') ? import('node:https') : import('node:http'));
  const status = await new Promise<number | undefined>((resolve) => {
    // This machine has no name in the certificate, and the answer is not secret.
    const options = { signal: AbortSignal.timeout(HEALTH_PATIENCE), rejectUnauthorized: false };
    get(address, options, ({ statusCode }) => resolve(statusCode)).on('error', () => resolve(undefined));
  });
  if (status === 200) process.exit(0);
  return fail(`${address}: ${status ?? 'no answer'}`);
}

/** The bytes that this process may take: no more than its container has, and than its heap may grow to. */
function memoryOfProcess(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem(), getHeapStatistics().heap_size_limit);
}

/** Writes the notices that oidc-provider prints as plain text to the log. */
function routeConsole(logger: Logger): void {
  console.info = (...words: unknown[]) => logger.info({ event: 'library.notice' }, words.join(' '));
  console.warn = (...words: unknown[]) => {
    const text = words.join(' ');
    // oidc-provider warns of every Node.js that is not an LTS release; the project chooses its Node.js itself.
    const level = text.includes('Unsupported runtime') ? 'debug' : 'warn';
    logger[level]({ event: 'library.warning' }, text);
  };
}

/** The URL of the OAuth endpoints for processes on the same machine. */
function publicAddress(config: Config): string {
  return localAddress(config.tls === undefined ? 'http' : 'https', config);
}

/** The URL of everything else. The internal address speaks plain HTTP. */
function managementAddress(config: Config): string {
  return config.internalListen === undefined ? publicAddress(config) : localAddress('http', config.internalListen);
}

function localAddress(scheme: 'http' | 'https', { host, port }: { host: string; port: number }): string {
  const local = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].includes(host);
  return `${scheme}://${local ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isExpected(error: unknown): error is Error {
  return error instanceof Error && (EXPECTED.has(error.name) || ('code' in error && typeof error.code === 'string'));
}

async function fail(reason: unknown): Promise<never> {
  process.stderr.write(`${typeof reason === 'string' ? reason : inspect(reason)}\n`);
  return exit(1);
}

/** Ends the process when the log has been read, or {@link FLUSHING} milliseconds later if nobody reads the log. */
async function exit(code: number): Promise<never> {
  await output.flush(FLUSHING);
  process.exit(code);
}
