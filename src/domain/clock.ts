/** The time now. Passed in wherever time matters, so that tests can move it. */
export type Clock = () => Date;

/** Milliseconds by which the clock of a verifier may be behind: so much longer is kept what it may still ask for. */
export const VERIFIERS_BEHIND = 3_600_000;
