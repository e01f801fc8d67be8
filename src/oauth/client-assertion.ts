import { compactVerify } from 'jose';
import Provider, { type Configuration, errors } from 'oidc-provider';
import { assertionId, type AssertionRules, checkAssertion } from '../domain/assertions/check-assertion.ts';
import type { Assertion } from '../domain/assertions/parse-assertion.ts';
import type { ReplayStore } from '../domain/assertions/replay-store.ts';
import type { Clock } from '../domain/clock.ts';
import type { Credential } from '../domain/credentials/credential.ts';
import { isClientId } from '../domain/ids.ts';
import type { DecoyKeys } from './decoy.ts';
import { type Issuance, issuanceOf } from './issuance.ts';

/** What checking an assertion takes; durations are seconds. */
export interface AssertionTools {
  readonly issuer: string;
  /** Accepted as `aud` beside the issuer. */
  readonly audiences: readonly string[];
  readonly maxTtl: number;
  readonly clockTolerance: number;
  readonly clock: Clock;
  readonly replays: ReplayStore;
  readonly decoyKeys: DecoyKeys;
}

/** What Mia's clients put into `aud`, accepted at their own path only, for an hour. */
const MIA = { audience: 'console-client-credentials', maxTtl: 3600 };

/** Longer than any assertion is accepted for. */
const LONGEST_MEMORY = 86_400;

/**
 * The seams at which an assertion is judged beyond its signature: the audiences that are expected, nothing of them from
 * the request (notes, row 1); our own checks, which the library makes after the signature (rows 2, 5 and 19); and the
 * one atomic use of its id (rows 3 and 4).
 */
export function installClientAssertion(provider: Provider, tools: AssertionTools): void {
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => {
    const issuance = issuanceOf(Provider.ctx);
    issuance.rules = rulesFor(issuance, tools);
    return new Set(issuance.rules.audiences.keys());
  };
  provider.ReplayDetection.unique = async (clientId, jti, expiresAt) =>
    isClientId(clientId) && tools.replays.use(clientId, jti, new Date(expiresAt * 1000));
}

/** The library's own place for checks after the signature. */
export const assertJwtClientAuthClaimsAndHeader: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = (
  ctx,
) => {
  const { request, rules, credential } = issuanceOf(ctx);
  if (request.authentication.method !== 'private_key_jwt' || rules === undefined) throw new Error('no assertion');
  // Nobody can sign for a decoy; should someone, it is still nobody's key.
  if (credential === undefined) throw new errors.InvalidClientAuth('decoy');
  const failed = checkAssertion(request.authentication.assertion, rules);
  if (failed !== undefined) throw new errors.InvalidClientAuth(failed.check);
  return Promise.resolve();
};

/**
 * Finds out why an assertion was refused, for whoever holds the key: the signature is verified once more and, if it is
 * good, the assertion is used up and measured again. A bad signature learns nothing, and for an account that does not
 * exist the same work is done.
 *
 * @returns what may be said to the caller, or undefined; the reason for the log goes into the issuance
 */
export async function explainRefusal(issuance: Issuance, tools: AssertionTools): Promise<string | undefined> {
  const { authentication } = issuance.request;
  if (authentication.method !== 'private_key_jwt') return undefined;
  const { assertion } = authentication;
  const good = await isSignedWith(issuance.credential, assertion, tools.decoyKeys);
  if (!good) {
    issuance.reason ??= 'assertion_signature';
    return undefined;
  }
  issuance.proved = true;
  const rules = rulesFor(issuance, tools);
  const unused = await useUp(assertion, rules, tools.replays);
  const failed = checkAssertion(assertion, rules) ?? (unused ? EDGE : REPLAYED);
  issuance.reason = `assertion_${failed.check}`;
  return failed.message;
}

const REPLAYED = {
  check: 'replay',
  message: 'jti has been used already: every assertion is good for one request',
} as const;

/** It was refused a moment ago and would not be now. */
const EDGE = { check: 'time', message: 'exp or nbf is at the very edge of what is accepted' } as const;

async function isSignedWith(
  credential: Credential | undefined,
  { compact, alg }: Assertion,
  decoyKeys: DecoyKeys,
): Promise<boolean> {
  const key = credential?.type === 'public_key' ? credential.publicKey : undefined;
  const verified = await compactVerify(compact, key ?? decoyKeys[alg], { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
  return verified && key !== undefined;
}

async function useUp(assertion: Assertion, { now, tolerance }: AssertionRules, replays: ReplayStore): Promise<boolean> {
  const id = assertionId(assertion);
  if (id === undefined) return false;
  const { exp } = assertion.claims;
  const until = Math.min(typeof exp === 'number' && exp > now ? exp : now, now + LONGEST_MEMORY) + tolerance;
  return replays.use(assertion.clientId, id, new Date(until * 1000));
}

function rulesFor({ credential, alias }: Issuance, tools: AssertionTools): AssertionRules {
  const own = credential?.type === 'public_key' ? credential : undefined;
  const maxTtl = own?.assertionMaxTtl ?? tools.maxTtl;
  const audiences = new Map<string, number>([
    ...(alias ? [[MIA.audience, MIA.maxTtl] as const] : []),
    ...[tools.issuer, ...tools.audiences, ...(own?.assertionAudiences ?? [])].map((audience): [string, number] => [
      audience,
      maxTtl,
    ]),
  ]);
  return {
    audiences,
    issuer: tools.issuer,
    tolerance: tools.clockTolerance,
    now: Math.floor(tools.clock().getTime() / 1000),
  };
}
