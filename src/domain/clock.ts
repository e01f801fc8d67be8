/** Returns the current time. The clock is passed in as an argument: tests can set the time. */
export type Clock = () => Date;

/** Milliseconds by which the clock of a verifier may be behind: keys and revocations are kept longer by this. */
export const VERIFIERS_BEHIND = 3_600_000;

/** Milliseconds by which the clocks of a node and the database may differ. */
const TOLERATED = 5000;

/**
 * Warns of clocks that differ too much. Assertions and credentials expire partly by the clock of a node, partly by that
 * of the database.
 *
 * @param offset milliseconds by which the clock of the database is ahead of the clock of this node
 * @returns a message for the operator; undefined: the clocks agree
 */
export function clocksApart(offset: number): string | undefined {
  if (Math.abs(offset) <= TOLERATED) return undefined;
  const seconds = Math.round(Math.abs(offset) / 1000);
  return `The clock of this node is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} the database's`;
}
