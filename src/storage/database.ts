import type { Knex } from 'knex';
import type { ChangeFeed, ChangeListener } from './change-feed.ts';
import { within } from './within.ts';

/** An open database. */
export interface Database {
  readonly knex: Knex;
  /** Brings the schema up to date, as the role that may. */
  migrate(): Promise<void>;
  /** Hears of what other nodes change. */
  listen(listener: ChangeListener, onTrouble: (reason: string) => void): Promise<ChangeFeed>;
  close(): Promise<void>;
}

/** Whether the database answers within a second. */
export async function answers({ knex }: Database): Promise<boolean> {
  return within(
    knex.raw('select 1').then(() => true),
    1000,
  ).catch(() => false);
}

/** How many connections are used and free, and how many wait for one. */
export function poolState({ knex }: Database): { used: number; free: number; waiting: number } {
  const { pool } = knex.client;
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}
