import type { PublicKeyCredential } from '../credentials/kinds/public-key-kind.ts';
import type { Clock } from '../clock.ts';
import { identifierKey } from '../resource-servers/resource-server.ts';

/** What every assertion is measured by; durations are seconds. */
export interface AssertionSettings {
  readonly issuer: string;
  /** Accepted as `aud` beside the issuer. */
  readonly audiences: readonly string[];
  readonly maxTtl: number;
  readonly clockTolerance: number;
  readonly clock: Clock;
}

/** What an assertion is measured by. Times are seconds. */
export interface AssertionRules {
  /** Values of `aud` that are accepted, each with the longest lifetime (`exp` − now) that goes with it. */
  readonly audiences: ReadonlyMap<string, number>;
  /** What is said to be expected when the audience is wrong. */
  readonly issuer: string;
  /** How far the client's clock may be from ours. */
  readonly tolerance: number;
  /** Unix time. */
  readonly now: number;
}

/** Where Mia's clients ask for tokens, and what they put into `aud`: accepted there only, for an hour. */
export const MIA = { path: '/api/m2m/oauth/token', audience: 'console-client-credentials', maxTtl: 3600 } as const;

/**
 * @param key that the assertion is signed with: it may have rules of its own
 * @param alias whether it comes to the path of Mia's clients
 */
export function rulesFor(
  key: Pick<PublicKeyCredential, 'assertionMaxTtl' | 'assertionAudiences'> | undefined,
  alias: boolean,
  { issuer, audiences, maxTtl, clockTolerance, clock }: AssertionSettings,
): AssertionRules {
  const longest = key?.assertionMaxTtl ?? maxTtl;
  const accepted = [issuer, ...spelledWithSlash(issuer), ...audiences, ...(key?.assertionAudiences ?? [])];
  return {
    audiences: new Map([
      ...(alias ? [[MIA.audience, MIA.maxTtl] as const] : []),
      ...accepted.map((audience): [string, number] => [audience, longest]),
    ]),
    issuer,
    tolerance: clockTolerance,
    now: Math.floor(clock().getTime() / 1000),
  };
}

/** An issuer without a path is the same URL with a final `/`, and libraries that parse it write it so (RFC 3986 §6.2.3). */
function spelledWithSlash(issuer: string): string[] {
  return identifierKey(`${issuer}/`) === issuer ? [`${issuer}/`] : [];
}
