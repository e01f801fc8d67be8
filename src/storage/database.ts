import type { Knex } from 'knex';
import type { ChangeFeed, ChangeFeedOptions } from './change-feed.ts';

/** An open database. */
export interface Database {
  readonly knex: Knex;
  /** The connections that only the work for tokens uses. */
  readonly tokensKnex: Knex;
  /** Brings the schema up to date, as the role that may change it. */
  migrate(): Promise<void>;
  /** Starts to hear the announcements of other nodes. */
  listen(options: Omit<ChangeFeedOptions, 'url' | 'announce' | 'onReached'>): Promise<ChangeFeed>;
  close(): Promise<void>;
}

/** How many connections are used and free, and how many requests for a connection wait. */
export function poolState({ knex }: Database): { used: number; free: number; waiting: number } {
  const { pool } = knex.client;
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}
