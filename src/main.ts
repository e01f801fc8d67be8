import { enableCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { ConfigError, parseConfig, type Config } from './config/parse-config.ts';
import { firstStartBanner } from './start/first-start-banner.ts';
import { createLogger, type Logger } from './observability/logger.ts';
import { createLogOutput } from './observability/log-output.ts';
import { createMetrics } from './observability/metrics.ts';
import { random } from './start/random.ts';
import type { Surroundings } from './start/surroundings.ts';
import { systemClock } from './start/system-clock.ts';

/** Milliseconds that the end of the process waits for who reads the log. */
const FLUSHING = 1000;
/** Milliseconds; a health check has a second more. */
const HEALTH_PATIENCE = 2000;
/** Errors whose message tells an operator everything. */
const EXPECTED: ReadonlySet<string> = new Set([
  'DataFolderInUseError',
  'DomainError',
  'KeyEncryptionKeyError',
  'RootFileError',
  'UndecryptableError',
  'UnsuitableDatabaseError',
]);

enableCompileCache();
const output = createLogOutput(process.stdout, systemClock);
await run(process.argv.slice(2));

async function run(command: readonly string[]): Promise<void> {
  try {
    const { config, warnings } = parseConfig(process.env);
    if (command.join(' ') === 'health') return await checkHealth(config);
    const logger = createLogger(config.logLevel, process.stdout.isTTY, output);
    routeConsole(logger);
    for (const warning of warnings) logger.warn({ event: 'setting.ignored' }, warning);
    process.on('uncaughtException', (error) => {
      logger.fatal({ event: 'process.failed', err: error });
      void exit(1);
    });
    const surroundings = {
      clock: systemClock,
      random,
      logger,
      metrics: createMetrics(),
      pid: process.pid,
      databasePatience: 30_000,
    };
    switch (command.join(' ')) {
      case '':
        return await serve(config, surroundings);
      case 'root recover':
        return await recover(config, surroundings);
      default:
        await fail(
          `There is no command "${command.join(' ')}"; there are: npm start, npm run root -- recover, node src/main.ts health`,
        );
    }
  } catch (error) {
    await fail(error instanceof ConfigError || isExpected(error) ? error.message : error);
  }
}

async function serve(config: Config, surroundings: Surroundings): Promise<void> {
  const { logger } = surroundings;
  let stop = (_drain: number): void => void exit(0);
  // A signal may come twice, to npm and to us: the second finds the first at work.
  process.on('SIGTERM', () => stop(config.drain));
  // A person at the terminal does not wait for load balancers.
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
  if (app.firstRoot !== undefined) {
    const where = {
      base: localAddress(config),
      management: localAddress(config.internalListen ?? config),
      clientKey: config.clientKeys.length > 0,
    };
    process.stdout.write(firstStartBanner(where, app.firstRoot));
  }
}

async function recover(config: Config, surroundings: Surroundings): Promise<void> {
  const { recoverRootAccount } = await import('./start/recover-root-account.ts');
  const { clientId, clientSecret } = await recoverRootAccount(config, surroundings);
  process.stdout.write(`${JSON.stringify({ clientId, clientSecret }, undefined, 2)}\n`);
}

/** For the health check of a container: ends with 0 where the server of the same settings answers that it is ready. */
async function checkHealth(config: Config): Promise<void> {
  const address = `${localAddress(config.internalListen ?? config)}/health/ready`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(HEALTH_PATIENCE) }).catch(() => undefined);
  if (answer?.ok === true) process.exit(0);
  return fail(`${address}: ${answer?.status ?? 'no answer'}`);
}

/** oidc-provider prints notices as plain text; they belong into the log. */
function routeConsole(logger: Logger): void {
  console.info = (...words: unknown[]) => logger.info({ event: 'library.notice' }, words.join(' '));
  console.warn = (...words: unknown[]) => {
    const text = words.join(' ');
    // A Node.js that does not call itself LTS is not supported, it says; ours is chosen by the project.
    const level = text.includes('Unsupported runtime') ? 'debug' : 'warn';
    logger[level]({ event: 'library.warning' }, text);
  };
}

/** Where this server is reached from the machine it runs on. */
function localAddress({ host, port }: { host: string; port: number }): string {
  const local = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].includes(host);
  return `http://${local ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isExpected(error: unknown): error is Error {
  return error instanceof Error && (EXPECTED.has(error.name) || ('code' in error && typeof error.code === 'string'));
}

async function fail(reason: unknown): Promise<never> {
  process.stderr.write(`${typeof reason === 'string' ? reason : inspect(reason)}\n`);
  return exit(1);
}

/** Ends the process once the log has been read, or soon if nobody reads it. */
async function exit(code: number): Promise<never> {
  await output.flush(FLUSHING);
  process.exit(code);
}
