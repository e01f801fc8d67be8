import type pg from 'pg';

/** Tells connections that answer from connections that have fallen silent. */
export interface ConnectionHealth {
  /** Watches a new connection of the pool. */
  watch(connection: pg.Client): void;
  /** Whether the pool may hand a connection out. */
  isUsable(connection: pg.Client): boolean;
  /** Gives up every idle connection that has not answered after `since`, on the clock of `performance.now()`. */
  giveUpSilent(since: number): void;
}

interface Watched {
  /** The time of the last answer. */
  answeredAt: number;
  /** The number of statements that wait for an answer. */
  waiting: number;
}

type Callback = (error: unknown, result: unknown) => void;

/**
 * Creates the watch over connections. Established connections may stay open without answers, after a failover or behind
 * a firewall that forgets connections, while new connections work. The driver keeps a silent connection after a
 * timeout: the pool would hand it out again until TCP notices, a quarter of an hour later.
 */
export function createConnectionHealth(now: () => number): ConnectionHealth {
  const watched = new Map<pg.Client, Watched>();

  function giveUp(connection: pg.Client): void {
    watched.delete(connection);
    connection.connection.stream.destroy();
  }

  function giveUpSilent(since: number): void {
    for (const [connection, { answeredAt, waiting }] of watched) {
      // A statement that waits has a time limit of its own.
      if (waiting === 0 && answeredAt < since) giveUp(connection);
    }
  }

  return {
    watch(connection) {
      const state: Watched = { answeredAt: now(), waiting: 0 };
      watched.set(connection, state);
      connection.on('end', () => watched.delete(connection));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query builder calls it in this one way
      const send = connection.query as unknown as (this: pg.Client, query: object, callback: Callback) => unknown;
      const query = (config: object, callback: Callback): unknown => {
        const sentAt = now();
        state.waiting += 1;
        return send.call(connection, config, (error, result) => {
          state.waiting -= 1;
          if (isTimeout(error)) {
            giveUp(connection);
            giveUpSilent(sentAt);
          } else state.answeredAt = now();
          callback(error, result);
        });
      };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same, in the words of its type
      connection.query = query as unknown as typeof connection.query;
    },
    isUsable: (connection) => watched.has(connection),
    giveUpSilent,
  };
}

/** Whether an error is a timeout of the driver, which has no code. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}
