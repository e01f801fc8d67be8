import type { Knex } from 'knex';
import type { ChangeFeed, ChangeFeedOptions } from './change-feed.ts';

/** An open database. */
export interface Database {
  readonly knex: Knex;
  /** For what tokens take, on connections that nothing else uses. */
  readonly tokensKnex: Knex;
  /** Brings the schema up to date, as the role that may. */
  migrate(): Promise<void>;
  /** Hears of what other nodes change. */
  listen(options: Omit<ChangeFeedOptions, 'url' | 'announce' | 'onReached'>): Promise<ChangeFeed>;
  close(): Promise<void>;
}

/** How many connections are used and free, and how many wait for one. */
export function poolState({ knex }: Database): { used: number; free: number; waiting: number } {
  const { pool } = knex.client;
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}
