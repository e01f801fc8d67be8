/** The time now. Passed in wherever time matters, so that tests can move it. */
export type Clock = () => Date;

/** Milliseconds by which the clock of a verifier may be behind: so much longer is kept what it may still ask for. */
export const VERIFIERS_BEHIND = 3_600_000;

/** Milliseconds that the clocks of node and database may be apart. */
const TOLERATED = 5000;

/**
 * Says that the clocks of node and database are too far apart: assertions and credentials expire by either.
 *
 * @param offset milliseconds by which the database's clock is ahead of this node's
 * @returns a sentence for the operator; undefined when there is nothing to say
 */
export function clocksApart(offset: number): string | undefined {
  if (Math.abs(offset) <= TOLERATED) return undefined;
  const seconds = Math.round(Math.abs(offset) / 1000);
  return `The clock of this node is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} the database's`;
}
