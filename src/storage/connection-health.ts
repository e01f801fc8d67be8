import type pg from 'pg';

/** Tells connections that answer from connections that have fallen silent. */
export interface ConnectionHealth {
  /** Watches a new connection of the pool. */
  watch(connection: pg.Client): void;
  /** Whether the pool may hand a connection out. */
  isUsable(connection: pg.Client): boolean;
  /** Gives up every connection that has answered nothing since `since`, on the clock of `performance.now()`. */
  giveUpSilent(since: number): void;
}

interface Watched {
  /** When it last answered. */
  answeredAt: number;
  /** Statements that wait for their answers. */
  waiting: number;
}

type Callback = (error: unknown, result: unknown) => void;

/**
 * A failover, or a firewall that forgets, leaves established connections open that nobody answers on, while new ones
 * work. The driver only rejects a query that takes too long and keeps the connection, so the pool would hand it out
 * again for as long as TCP takes to notice: a quarter of an hour.
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

/** The driver gives it no code. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}
