import { setTimeout } from 'node:timers/promises';
import type { TestApp } from './test-app.ts';

/**
 * Waits until servers have written down what they gathered so far of uses and refusals, however slow their database is.
 *
 * @param pause their `activityPause`, in milliseconds
 */
export async function written(pause: number, ...apps: readonly TestApp[]): Promise<void> {
  await idle(apps);
  // Their timers have fired by then: they are older than this one, and of the same process.
  await setTimeout(pause * 2);
  await idle(apps);
}

async function idle(apps: readonly TestApp[]): Promise<void> {
  const busy = ({ knex }: TestApp): boolean => {
    const { pool } = knex.client;
    return pool.numUsed() + pool.numPendingAcquires() > 0;
  };
  while (apps.some(busy)) await setTimeout(5);
}
