import type { Writable } from 'node:stream';
import type { Clock } from '../domain/clock.ts';

/** Where lines of the log go. */
export interface LogOutput {
  write(line: string): void;
  /** Waits until everything has been handed to the reader, but no longer than `patience` milliseconds. */
  flush(patience: number): Promise<void>;
}

/** Bytes that wait for the reader at most. */
const MOST_WAITING = 1024 * 1024;

/**
 * Hands lines on without ever waiting for who reads them: a reader that stands still would stop the server with it. A
 * line that finds too much waiting is dropped, and the next one that does not says how many were.
 *
 * @param stream standard output
 */
export function createLogOutput(stream: Writable, clock: Clock, mostWaiting = MOST_WAITING): LogOutput {
  let dropped = 0;
  let gone = false;
  // The reader has gone away. There is nobody left to tell.
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
