/**
 * Milliseconds after the last answer of the database during which a node counts as connected. A connected node serves
 * remembered accounts without asking the database.
 */
export const REACHED_WITHIN = 1000;
