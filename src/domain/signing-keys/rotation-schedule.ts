import { activeOf, type KeyLife, nextOf } from './key-life.ts';
import type { SigningAlg } from './signing-key.ts';

/** When a signing key is replaced by itself. */
export interface RotationSchedule {
  /** Milliseconds for which a key signs. */
  readonly every: number;
  /** Milliseconds for which the next key is published before it signs. */
  readonly ahead: number;
}

/** The time at which the next key of an algorithm is due to be published; undefined: there is one. */
export function rotationDue(
  keys: readonly KeyLife[],
  alg: SigningAlg,
  schedule: RotationSchedule,
  now: Date,
): Date | undefined {
  const active = activeOf(keys, alg, now);
  if (active === undefined || nextOf(keys, alg, now) !== undefined) return undefined;
  return new Date(active.signsFrom.getTime() + schedule.every - schedule.ahead);
}
