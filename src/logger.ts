import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** What never stands in a log, wherever in an entry it turns up. */
const SECRETS = new Set([
  'authorization',
  'clientSecret',
  'client_secret',
  'clientAssertion',
  'client_assertion',
  'accessToken',
  'access_token',
  'cookie',
  'password',
  'privateJwk',
  'secretHash',
]);

/** How deep an entry is written (pino's `depthLimit`). */
const DEEPEST = 5;

/**
 * JSON lines, or readable text where a person looks on.
 *
 * @param terminal whether standard output is a terminal
 * @param destination where the lines go; standard output when absent
 */
export function createLogger(level: string, terminal: boolean, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: censored },
    serializers: { err: (error: Error) => censored({ ...pino.stdSerializers.err(error) }) },
    depthLimit: DEEPEST,
  };
  if (destination !== undefined) return pino(options, destination);
  // Synchronously, so that no line is lost when the process ends.
  if (terminal) return pino(options, pretty({ sync: true, translateTime: 'HH:MM:ss.l', singleLine: true }));
  return pino(options, pino.destination({ dest: 1, sync: true }));
}

/** An entry without its secrets. (pino's own `redact` takes ten times as long as all the rest of a line.) */
function censored(entry: object, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) copy[name] = SECRETS.has(name) ? '[secret]' : inner(value, depth);
  return copy;
}

function inner(value: unknown, depth: number): unknown {
  if (depth === DEEPEST) return undefined;
  if (Array.isArray(value)) return value.map((item) => inner(item, depth + 1));
  return isPlain(value) ? censored(value, depth + 1) : value;
}

/** Whatever has a form of its own (an error, a date) says itself how it is written. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
