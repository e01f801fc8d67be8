/**
 * The security profiles. `fapi2`: what the FAPI 2.0 Security Profile asks of a server for the grant of client credentials
 * (FAPI 2.0 §5.3.2.1, §5.4). Clients authenticate by a key of their own, every token is bound to a key of its client, and
 * nothing is signed with RS256.
 */
export const PROFILES = ['standard', 'fapi2'] as const;
export type Profile = (typeof PROFILES)[number];

/** Whether a profile takes signatures of an algorithm (FAPI 2.0 §5.4.1). */
export function takesAlg(profile: Profile, alg: string): boolean {
  return profile === 'standard' || alg !== 'RS256';
}

/** Seconds by which the clock of a client may be ahead at least: some clients cannot set their clock (FAPI 2.0 §5.3.2.1). */
export const LEAST_TOLERANCE = 10;

/** The seconds by which a profile lets the clock of a client be off. */
export function toleranceOf(profile: Profile, set: number): number {
  return profile === 'fapi2' ? Math.max(set, LEAST_TOLERANCE) : set;
}
