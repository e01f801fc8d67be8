import type { AssertionRules } from './assertion-rules.ts';
import { assertionId } from './check-assertion.ts';
import type { Assertion } from './parse-assertion.ts';
import type { ReplayStore } from './replay-store.ts';

/** Longer than any assertion is accepted for, in seconds. */
const LONGEST_MEMORY = 86_400;

export const REPLAYED = {
  check: 'replay',
  message: 'jti has been used already: every assertion is good for one request',
} as const;

/**
 * Uses up an assertion whose signature is good.
 *
 * @returns whether it had not been used before; false for one without an id that can be kept
 * @throws DomainError `unavailable`
 */
export async function useAssertion(
  assertion: Assertion,
  { now, tolerance }: AssertionRules,
  replays: Pick<ReplayStore, 'use'>,
): Promise<boolean> {
  const id = assertionId(assertion);
  if (id === undefined) return false;
  const { exp } = assertion.claims;
  const until = Math.min(typeof exp === 'number' && exp > now ? exp : now, now + LONGEST_MEMORY);
  return replays.use(assertion.clientId, id, rememberedUntil(until + tolerance));
}

/**
 * Until when the id of an assertion must be remembered. Assertions are measured by whole seconds of our clock, so one
 * that ends within a second is still taken until that second is over.
 *
 * @param lastTaken Unix time of its `exp`, with the tolerance; may have a part of a second
 */
export function rememberedUntil(lastTaken: number): Date {
  return new Date(Math.ceil(lastTaken) * 1000);
}
