import { setTimeout } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import type { TestApp } from './test-app.ts';

/** The longest time that a database may take to answer, in milliseconds. */
const PATIENCE = 20_000;

/**
 * Waits until servers have written the uses and refusals that they have gathered so far, also on a slow database.
 *
 * @param pause the `activityPause` of the servers, in milliseconds
 */
export async function written(pause: number, ...apps: readonly TestApp[]): Promise<void> {
  const idle = (): boolean =>
    apps.every(({ knex }) => {
      const { pool } = knex.client;
      return pool.numUsed() + pool.numPendingAcquires() === 0;
    });
  await eventually(PATIENCE, idle);
  // The timers of the servers fire before this one: they started earlier, in the same process.
  await setTimeout(pause * 2);
  await eventually(PATIENCE, idle);
}
