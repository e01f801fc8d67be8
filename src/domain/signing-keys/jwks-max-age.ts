/** Seconds for which a verifier may keep the JWKS; a new key waits longer before it signs. */
export const JWKS_MAX_AGE = 300;
