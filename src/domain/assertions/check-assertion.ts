import type { AssertionRules } from './assertion-rules.ts';
import type { Assertion } from './parse-assertion.ts';
import { shown } from './shown.ts';

/** The checks by name, in the order in which they are made. */
export const ASSERTION_CHECKS = [
  'type',
  'issuer',
  'audience',
  'expiry',
  'lifetime',
  'issued_at',
  'not_before',
  'jti',
] as const;
type AssertionCheckName = (typeof ASSERTION_CHECKS)[number];

/** A check that an assertion did not pass. `message` says why and by how much; it may be shown to who holds the key. */
export interface FailedCheck {
  readonly check: AssertionCheckName;
  readonly message: string;
}

type Check = (assertion: Assertion, rules: AssertionRules) => string | undefined;

const CHECKS: Readonly<Record<AssertionCheckName, Check>> = {
  type: checkType,
  issuer: checkIssuer,
  audience: checkAudience,
  expiry: checkExpiry,
  lifetime: checkLifetime,
  issued_at: (assertion, rules) => checkNotAhead(assertion, rules, 'iat'),
  not_before: (assertion, rules) => checkNotAhead(assertion, rules, 'nbf'),
  jti: checkJti,
};

/**
 * Makes every check of the claims of an assertion (RFC 7523 §3, and stricter: one audience, a short life, an id that is
 * used once).
 *
 * @returns all of them; those that it passed have no message
 */
export function measureAssertion(
  assertion: Assertion,
  rules: AssertionRules,
): readonly { readonly check: AssertionCheckName; readonly message: string | undefined }[] {
  return ASSERTION_CHECKS.map((check) => ({ check, message: CHECKS[check](assertion, rules) }));
}

/**
 * Checks the claims of an assertion whose signature is good, as {@link measureAssertion} does.
 *
 * @returns the first check that it did not pass, or undefined when it passed all
 */
export function checkAssertion(assertion: Assertion, rules: AssertionRules): FailedCheck | undefined {
  for (const { check, message } of measureAssertion(assertion, rules)) {
    if (message !== undefined) return { check, message };
  }
  return undefined;
}

/** The id that an assertion is used up by, where it has one that can be kept. */
export function assertionId({ claims }: Assertion): string | undefined {
  const { jti } = claims;
  return typeof jti === 'string' && jti.length >= 1 && jti.length <= 128 && jti.isWellFormed() && !jti.includes('\0')
    ? jti
    : undefined;
}

/** The one audience of an assertion: a string, or an array of just that (rfc7523bis). */
export function audienceOf({ claims: { aud } }: Assertion): string | undefined {
  const [only, ...others]: unknown[] = Array.isArray(aud) ? aud : [aud];
  return typeof only === 'string' && others.length === 0 ? only : undefined;
}

// RFC 8725 §3.11: a token of another kind must not pass for an assertion, one of our own access tokens least of all.
function checkType({ typ }: Assertion): string | undefined {
  if (typ === undefined || (typeof typ === 'string' && ASSERTION_TYPES.has(shortType(typ)))) return undefined;
  return `typ is ${shown(typ)}, expected JWT, client-authentication+jwt or none`;
}

const ASSERTION_TYPES: ReadonlySet<string> = new Set(['jwt', 'client-authentication+jwt']);

/** A media type as RFC 7515 §4.1.9 has it: the case does not matter, and `application/` may be left out. */
function shortType(typ: string): string {
  return typ.toLowerCase().replace(/^application\/(?=[^/]*$)/, '');
}

function checkIssuer({ claims: { iss }, clientId }: Assertion): string | undefined {
  return iss === clientId ? undefined : `iss is ${shown(iss)}, expected the same as sub: ${clientId}`;
}

function checkAudience(assertion: Assertion, { audiences, issuer }: AssertionRules): string | undefined {
  const audience = audienceOf(assertion);
  if (audience !== undefined && audiences.has(audience)) return undefined;
  return `aud is ${shown(assertion.claims['aud'])}, expected ${issuer}`;
}

function checkExpiry({ claims: { exp } }: Assertion, { now, tolerance }: AssertionRules): string | undefined {
  if (!isNumericDate(exp)) return `exp is ${shown(exp)}, expected a number of seconds since 1970`;
  const late = now - exp;
  return late < tolerance ? undefined : `expired ${Math.floor(late)} seconds ago by our clock (${now})`;
}

/** RFC 7519 §2: a part of a second may stand in it. */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function checkLifetime(assertion: Assertion, { audiences, now, tolerance }: AssertionRules): string | undefined {
  // Another audience, and an exp that is no number, are for other checks to find fault with.
  const longest = (audiences.get(audienceOf(assertion) ?? '') ?? Math.max(...audiences.values())) + tolerance;
  const left = Number(assertion.claims['exp']) - now;
  return left > longest ? `exp is ${Math.ceil(left)} seconds ahead, at most ${longest} are accepted` : undefined;
}

function checkNotAhead(
  { claims }: Assertion,
  { now, tolerance }: AssertionRules,
  claim: 'iat' | 'nbf',
): string | undefined {
  const time = claims[claim];
  if (time === undefined) return undefined;
  if (!isNumericDate(time)) return `${claim} is ${shown(time)}, expected a number of seconds`;
  const ahead = Math.ceil(time - now);
  return ahead <= tolerance ? undefined : `${claim} is ${ahead} seconds ahead of our clock (${now})`;
}

function checkJti(assertion: Assertion): string | undefined {
  return assertionId(assertion) === undefined
    ? `jti is ${shown(assertion.claims['jti'])}, expected a string of 1 to 128 characters`
    : undefined;
}
