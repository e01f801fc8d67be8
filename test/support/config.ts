import { ALONE } from '../../src/workers/peers.ts';
import type { AppSurroundings } from '../../src/app.ts';
import { parseConfig, type Config } from '../../src/config/parse-config.ts';
import type { GuessLimits } from '../../src/oauth/refusals/guess-limiter.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { random } from '../../src/start/random.ts';
import { systemClock } from '../../src/start/system-clock.ts';

/** The root account of every template database. */
export const ROOT = { clientId: 'sa_root_of_the_tests', clientSecret: 'root-secret-of-the-tests-0123456789-abcdefgh' };

/** The environment of the first start of every template database. */
export const TEST_ENVIRONMENT = {
  LOG_LEVEL: 'trace',
  WRIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  WRIT_BOOTSTRAP_CLIENT_ID: ROOT.clientId,
  WRIT_BOOTSTRAP_CLIENT_SECRET: ROOT.clientSecret,
};

export function testConfig(environment: Record<string, string>): Config {
  return parseConfig({ ...TEST_ENVIRONMENT, ...environment }).config;
}

const UNLIMITED = { burst: 1e9, interval: 1e-6 };
/** Limits that no test reaches: many tests fail to authenticate on purpose, and few are about guessing. */
export const NO_GUESS_LIMITS: GuessLimits = { pair: UNLIMITED, source: UNLIMITED, everyone: UNLIMITED, kept: 10 };

/** One line of the log, parsed. */
export type LogEntry = Record<string, unknown>;

export function quietSurroundings(overrides: Partial<AppSurroundings> & { lines?: string[] } = {}): AppSurroundings {
  const { lines = [], ...rest } = overrides;
  return {
    clock: systemClock,
    random,
    logger: createLogger('trace', false, { write: (line: string) => void lines.push(line) }),
    metrics: createMetrics({ version: '0.0.0', node: 'v0' }),
    pid: process.pid,
    peers: ALONE,
    memory: 1024 ** 3,
    databasePatience: 10_000,
    guessing: { limits: NO_GUESS_LIMITS, now: () => performance.now() },
    ...rest,
  };
}
