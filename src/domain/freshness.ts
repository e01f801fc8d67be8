/**
 * Milliseconds after the last answer of the database during which a node counts as reaching it: so long a remembered
 * account is served without a look at the database.
 */
export const REACHED_WITHIN = 1000;
