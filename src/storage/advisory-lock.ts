/** The key of the one advisory lock that migrations and start-up work take, so that nodes do them one at a time. */
export const ADVISORY_LOCK = 0x57_52_49_54;

/** The key of the one that is held while audit events get their positions. */
export const POSITIONS_LOCK = ADVISORY_LOCK + 1;
