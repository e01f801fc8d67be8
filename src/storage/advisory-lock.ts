/** The key of the advisory lock of migrations and start-up work: one node at a time does them. */
export const ADVISORY_LOCK = 0x57_52_49_54;

/** The key of the advisory lock that is held while audit events get their positions. */
export const POSITIONS_LOCK = ADVISORY_LOCK + 1;
