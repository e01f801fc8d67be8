import { Writable } from 'node:stream';
import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** The members whose values are never logged, at any depth of an entry. */
const SECRETS = new Set([
  'authorization',
  'apiKey',
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

/** How many levels of an entry are written (pino's `depthLimit`). */
const DEEPEST = 5;

/** The most characters of a text that are written: a client may have sent the text. */
const LONGEST = 512;
const LONGEST_STACK = 4096;

/**
 * Creates a logger that writes JSON lines, or readable text on a terminal.
 *
 * @param terminal whether a person reads the log on a terminal
 * @param destination where the lines go
 */
export function createLogger(level: string, terminal: boolean, destination: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: censored },
    serializers: { err: (error: unknown) => described(error) },
    depthLimit: DEEPEST,
  };
  if (!terminal) return pino(options, destination);
  const readable = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      destination.write(line);
      done();
    },
  });
  return pino(options, pretty({ destination: readable, translateTime: 'HH:MM:ss.l', singleLine: true }));
}

/** The members of an error that may be logged. Other members of a driver's error contain rows and values. */
const TELLING = ['code', 'constraint', 'table'] as const;

function described(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return inner(error, depth);
  const known = Object.entries(error).filter(([name, value]) => isTelling(name) && typeof value === 'string');
  return {
    type: error.constructor.name,
    message: shortened(messageOf(error)),
    ...Object.fromEntries(known),
    ...(error.stack !== undefined && { stack: shortened(error.stack, LONGEST_STACK) }),
    ...(error.cause !== undefined && depth < DEEPEST && { cause: described(error.cause, depth + 1) }),
  };
}

/** The message of an error. When all addresses of a host fail, only the errors inside the error have messages. */
function messageOf(error: Error): string {
  return error.message === '' && error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
}

function isTelling(name: string): boolean {
  return TELLING.some((telling) => telling === name);
}

function shortened(text: string, longest = LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/** Copies an entry without its secrets. pino's own `redact` takes ten times as long as the rest of a line. */
function censored(entry: object, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) copy[name] = SECRETS.has(name) ? '[secret]' : inner(value, depth);
  return copy;
}

function inner(value: unknown, depth: number): unknown {
  if (depth === DEEPEST) return undefined;
  if (typeof value === 'string') return shortened(value);
  if (Array.isArray(value)) return value.map((item) => inner(item, depth + 1));
  return isPlain(value) ? censored(value, depth + 1) : value;
}

/** Whether a value is a plain object. Other objects, such as errors and dates, are written in a form of their own. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
