import type { PublicKeyCredential } from '../credentials/kinds/public-key-kind.ts';
import type { Clock } from '../clock.ts';
import { ASSERTION_ALGS, type AssertionAlg } from './parse-assertion.ts';
import { type Profile, takesAlg } from '../profile.ts';
import { identifierKey } from '../resource-servers/resource-server.ts';

/** The settings for checking assertions; durations are in seconds. */
export interface AssertionSettings {
  readonly issuer: string;
  readonly profile: Profile;
  /** The values of `aud` that are accepted beside the issuer. */
  readonly audiences: readonly string[];
  readonly maxTtl: number;
  readonly clockTolerance: number;
  readonly clock: Clock;
}

/** The rules for checking one assertion; times are in seconds. */
export interface AssertionRules {
  /** The accepted values of `aud`, each with the longest lifetime (`exp` − now) of an assertion that has it. */
  readonly audiences: ReadonlyMap<string, number>;
  /** The audience that an error message names as the expected one. */
  readonly issuer: string;
  /** The most by which the clock of the client may differ from ours. */
  readonly tolerance: number;
  /** The algorithms that are taken. */
  readonly algs: readonly AssertionAlg[];
  /** Whether `aud` must be a string: an array with one string is none. */
  readonly plainAudience: boolean;
  /** The Unix time of the check. */
  readonly now: number;
}

/**
 * The path at which Mia's clients ask for tokens, and the `aud` of their assertions. This `aud` is accepted at this
 * path only, for an hour at most.
 */
export const MIA = { path: '/api/m2m/oauth/token', audience: 'console-client-credentials', maxTtl: 3600 } as const;

/**
 * Works out the rules for an assertion.
 *
 * @param key the key that the assertion names, which may have rules of its own; undefined: there is no such key
 * @param alias whether the assertion came to the path of Mia's clients
 */
export function rulesFor(
  key: Pick<PublicKeyCredential, 'assertionMaxTtl' | 'assertionAudiences'> | undefined,
  alias: boolean,
  { issuer, profile, audiences, maxTtl, clockTolerance, clock }: AssertionSettings,
): AssertionRules {
  const longest = key?.assertionMaxTtl ?? maxTtl;
  const strict = profile === 'fapi2';
  const others = [...spelledWithSlash(issuer), ...audiences, ...(key?.assertionAudiences ?? [])];
  return {
    audiences: new Map([
      ...(alias && !strict ? [[MIA.audience, MIA.maxTtl] as const] : []),
      ...[issuer, ...(strict ? [] : others)].map((audience): [string, number] => [audience, longest]),
    ]),
    issuer,
    tolerance: clockTolerance,
    algs: ASSERTION_ALGS.filter((alg) => takesAlg(profile, alg)),
    plainAudience: strict,
    now: Math.floor(clock().getTime() / 1000),
  };
}

/** An issuer without a path means the same with a final `/` (RFC 3986 §6.2.3), and some libraries add the `/`. */
function spelledWithSlash(issuer: string): string[] {
  return identifierKey(`${issuer}/`) === issuer ? [`${issuer}/`] : [];
}
