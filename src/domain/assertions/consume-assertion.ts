import type { AssertionRules } from './assertion-rules.ts';
import { assertionId } from './check-assertion.ts';
import type { Assertion } from './parse-assertion.ts';
import type { Use } from './replay-store.ts';

/** The longest lifetime of an assertion that any setting allows, in seconds. */
const LONGEST_MEMORY = 86_400;

export const REPLAYED = {
  check: 'replay',
  message: 'jti has been used already: every assertion is good for one request',
} as const;

/**
 * The use of an assertion whose signature has been verified, which is consumed even if the assertion is refused.
 *
 * @returns undefined: the assertion has no `jti` that can be stored
 */
export function useOfAssertion(assertion: Assertion, { now, tolerance }: AssertionRules): Use | undefined {
  const jti = assertionId(assertion);
  if (jti === undefined) return undefined;
  const { exp } = assertion.claims;
  const until = Math.min(typeof exp === 'number' && exp > now ? exp : now, now + LONGEST_MEMORY);
  return { owner: assertion.clientId, jti, expiresAt: rememberedUntil(until + tolerance) };
}

/**
 * The time until which the id of an assertion must be kept. Assertions are checked in whole seconds of our clock, so an
 * assertion that expires within a second is accepted until that second is over.
 *
 * @param lastTaken the Unix time of `exp` plus the tolerance; it may have a fraction of a second
 */
export function rememberedUntil(lastTaken: number): Date {
  return new Date(Math.ceil(lastTaken) * 1000);
}
