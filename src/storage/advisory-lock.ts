/** The key of the one advisory lock that migrations and start-up work take, so that nodes do them one at a time. */
export const ADVISORY_LOCK = 0x57_52_49_54;
