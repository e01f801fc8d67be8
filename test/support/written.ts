import { setTimeout } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import type { TestApp } from './test-app.ts';

/** How long a database may take to answer, in milliseconds. */
const PATIENCE = 20_000;

/**
 * Waits until servers have written down what they gathered so far of uses and refusals, however slow their database is.
 *
 * @param pause their `activityPause`, in milliseconds
 */
export async function written(pause: number, ...apps: readonly TestApp[]): Promise<void> {
  const idle = (): boolean =>
    apps.every(({ knex }) => {
      const { pool } = knex.client;
      return pool.numUsed() + pool.numPendingAcquires() === 0;
    });
  await eventually(PATIENCE, idle);
  // Their timers have fired by then: they are older than this one, and of the same process.
  await setTimeout(pause * 2);
  await eventually(PATIENCE, idle);
}
