import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks. */
const PAUSE = 20;

/**
 * Waits until a condition holds. The time is counted in looks, so that a machine that takes longer for everything is
 * given longer.
 *
 * @param milliseconds for how long at most, on a machine that has nothing else to do
 * @param complaint what is wrong when it does not hold by then
 */
export async function eventually(
  milliseconds: number,
  condition: () => boolean | Promise<boolean>,
  complaint = 'not in time',
): Promise<void> {
  for (let looks = Math.ceil(milliseconds / PAUSE); !(await condition()); looks -= 1) {
    assert.ok(looks > 0, complaint);
    await setTimeout(PAUSE);
  }
}
