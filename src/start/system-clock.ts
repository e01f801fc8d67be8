/** The clock of the running product. */
export const systemClock = (): Date => new Date();
