/** The time now. Passed in wherever time matters, so that tests can move it. */
export type Clock = () => Date;
