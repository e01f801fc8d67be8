import type { Config } from '../config/parse-config.ts';
import type { AssertionSettings } from '../domain/assertions/assertion-rules.ts';
import type { Clock } from '../domain/clock.ts';
import type { TokenSettings } from '../domain/tokens/plan-token.ts';

/** The settings of tokens that both faces use. */
export function tokenSettings({
  issuer,
  profile,
  signingAlg,
  tokenTtl,
  tokenMaxTtl,
  tokenMaxBytes,
}: Config): TokenSettings {
  return { issuer, profile, signingAlg, tokenTtl, tokenMaxTtl, tokenMaxBytes };
}

/** The settings of client assertions that both faces use. */
export function assertionSettings(
  { issuer, profile, assertions, clockTolerance }: Config,
  clock: Clock,
): AssertionSettings {
  return { issuer, profile, ...assertions, clockTolerance, clock };
}
