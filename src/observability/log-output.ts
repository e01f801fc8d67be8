import type { Writable } from 'node:stream';
import type { Clock } from '../domain/clock.ts';

/** The destination of the lines of the log. */
export interface LogOutput {
  write(line: string): void;
  /** Waits until the reader has been given every line, but no longer than `patience` milliseconds. */
  flush(patience: number): Promise<void>;
}

/** The most bytes that wait for the reader. */
const MOST_WAITING = 1024 * 1024;

/**
 * Writes lines and never waits for the reader: a reader that stands still would stop the server. A line is dropped
 * while too many bytes wait, and a notice before the next written line says how many lines were dropped.
 *
 * @param stream standard output
 */
export function createLogOutput(stream: Writable, clock: Clock, mostWaiting = MOST_WAITING): LogOutput {
  let dropped = 0;
  let gone = false;
  // An error means that the reader has gone away: nobody is left to read a message about it.
  stream.on('error', () => (gone = true));

  return {
    write(line) {
      if (gone) return;
      if (stream.writableLength + line.length > mostWaiting) {
        dropped += 1;
        return;
      }
      if (dropped > 0) {
        const notice = { level: 'warn', time: clock().toISOString(), event: 'log.dropped', count: dropped };
        dropped = 0;
        stream.write(`${JSON.stringify(notice)}\n`);
      }
      stream.write(line);
    },

    async flush(patience) {
      if (gone || stream.writableLength === 0) return;
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, patience);
      stream.once('drain', late.resolve);
      stream.once('error', late.resolve);
      await late.promise;
      clearTimeout(timer);
    },
  };
}
