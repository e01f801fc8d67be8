import Provider, { type Configuration, errors } from 'oidc-provider';
import type { PublicKeyCredential } from '../domain/credentials/kinds/public-key-kind.ts';
import { type AssertionRules, type AssertionSettings, rulesFor } from '../domain/assertions/assertion-rules.ts';
import { checkAssertion } from '../domain/assertions/check-assertion.ts';
import { isSignedWith } from '../domain/assertions/is-signed-with.ts';
import type { Assertion } from '../domain/assertions/parse-assertion.ts';
import type { ReplayStore } from '../domain/assertions/replay-store.ts';
import { rememberedUntil, REPLAYED, useAssertion } from '../domain/assertions/use-assertion.ts';
import type { Credential } from '../domain/credentials/credential.ts';
import { isClientId } from '../domain/ids.ts';
import type { DecoyKeys } from './decoy.ts';
import { type Issuance, issuanceOf } from './issuance.ts';

/** What checking an assertion takes. */
export interface AssertionTools extends AssertionSettings {
  readonly replays: ReplayStore;
  readonly decoyKeys: DecoyKeys;
}

/**
 * The seams at which an assertion is judged beyond its signature: the audiences that are expected, nothing of them from
 * the request (notes, row 1); our own checks, which the library makes after the signature (rows 2, 5 and 19); and the
 * one atomic use of its id (rows 3 and 4).
 */
export function installClientAssertion(provider: Provider, tools: AssertionTools): void {
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => {
    const issuance = issuanceOf(Provider.ctx);
    issuance.rules = rulesOf(issuance, tools);
    return new Set(issuance.rules.audiences.keys());
  };
  provider.ReplayDetection.unique = async (clientId, jti, expiresAt) =>
    isClientId(clientId) && tools.replays.use(clientId, jti, rememberedUntil(expiresAt));
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
  const good = await isSignedWell(issuance.credential, assertion, tools.decoyKeys);
  if (!good) {
    issuance.reason ??= 'assertion_signature';
    return undefined;
  }
  issuance.proved = true;
  const rules = rulesOf(issuance, tools);
  const unused = await useAssertion(assertion, rules, tools.replays);
  const failed = checkAssertion(assertion, rules) ?? (unused ? EDGE : REPLAYED);
  issuance.reason = `assertion_${failed.check}`;
  return failed.message;
}

/** It was refused a moment ago and would not be now. */
const EDGE = { check: 'time', message: 'exp or nbf is at the very edge of what is accepted' } as const;

/** With the key that it names; where there is none, the same work is done. */
async function isSignedWell(
  credential: Credential | undefined,
  assertion: Assertion,
  decoyKeys: DecoyKeys,
): Promise<boolean> {
  const key = keyOf(credential)?.publicKey;
  const verified = await isSignedWith(key ?? decoyKeys[assertion.alg], assertion);
  return verified && key !== undefined;
}

function rulesOf({ credential, alias }: Issuance, tools: AssertionTools): AssertionRules {
  return rulesFor(keyOf(credential), alias, tools);
}

function keyOf(credential: Credential | undefined): PublicKeyCredential | undefined {
  return credential?.type === 'public_key' ? credential : undefined;
}
