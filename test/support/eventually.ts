import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

/**
 * Waits until a condition holds.
 *
 * @param milliseconds for how long at most
 * @param complaint what is wrong when it does not hold by then
 */
export async function eventually(
  milliseconds: number,
  condition: () => boolean | Promise<boolean>,
  complaint = 'not in time',
): Promise<void> {
  const patience = performance.now() + milliseconds;
  while (!(await condition())) {
    assert.ok(performance.now() < patience, complaint);
    await setTimeout(20);
  }
}
