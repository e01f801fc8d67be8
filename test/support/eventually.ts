import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two checks. */
const PAUSE = 20;

/**
 * Waits until a condition holds. The time is counted in checks: a slow machine gets more of it.
 *
 * @param milliseconds the longest wait, on a machine that has nothing else to do
 * @param complaint the message of the failure when the condition does not hold by then
 */
export async function eventually(
  milliseconds: number,
  condition: () => boolean | Promise<boolean>,
  complaint = 'the condition did not hold in time',
): Promise<void> {
  for (let looks = Math.ceil(milliseconds / PAUSE); !(await condition()); looks -= 1) {
    assert.ok(looks > 0, complaint);
    await setTimeout(PAUSE);
  }
}
