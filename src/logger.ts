import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** What never stands in a log, wherever in an entry it turns up. */
const SECRETS = [
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
];

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
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
  };
  if (destination !== undefined) return pino(options, destination);
  // Synchronously, so that no line is lost when the process ends.
  if (terminal) return pino(options, pretty({ sync: true, translateTime: 'HH:MM:ss.l', singleLine: true }));
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
