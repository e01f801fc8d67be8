import type { AssertionRules } from './assertion-rules.ts';
import type { Assertion } from './parse-assertion.ts';
import { quoted } from './quoted.ts';

/** The checks by name, in the order in which they are made. */
export const ASSERTION_CHECKS = [
  'algorithm',
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

/**
 * A check that an assertion failed. `message` says why and by how much; only a client that holds the key may read it.
 */
export interface FailedCheck {
  readonly check: AssertionCheckName;
  readonly message: string;
}

type Check = (assertion: Assertion, rules: AssertionRules) => string | undefined;

const CHECKS: Readonly<Record<AssertionCheckName, Check>> = {
  algorithm: checkAlgorithm,
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
 * Makes every check of the claims of an assertion. The checks are stricter than RFC 7523 §3: an assertion must have
 * just one audience, a short lifetime, and a `jti`.
 *
 * @returns all checks; a passed check has no message
 */
export function measureAssertion(
  assertion: Assertion,
  rules: AssertionRules,
): readonly { readonly check: AssertionCheckName; readonly message: string | undefined }[] {
  return ASSERTION_CHECKS.map((check) => ({ check, message: CHECKS[check](assertion, rules) }));
}

/**
 * Checks the claims of an assertion whose signature has been verified, as {@link measureAssertion} does.
 *
 * @returns the first failed check; undefined: the assertion passed every check
 */
export function checkAssertion(assertion: Assertion, rules: AssertionRules): FailedCheck | undefined {
  for (const { check, message } of measureAssertion(assertion, rules)) {
    if (message !== undefined) return { check, message };
  }
  return undefined;
}

/** The `jti` by which an assertion is consumed; undefined: it has none, or one that cannot be stored. */
export function assertionId({ claims }: Assertion): string | undefined {
  const { jti } = claims;
  return typeof jti === 'string' && jti.length >= 1 && jti.length <= 128 && jti.isWellFormed() && !jti.includes('\0')
    ? jti
    : undefined;
}

/**
 * The only audience of an assertion: a string, or an array with one string (rfc7523bis). Undefined: the assertion has
 * no audience, or several.
 */
export function audienceOf({ claims: { aud } }: Assertion): string | undefined {
  const [only, ...others]: unknown[] = Array.isArray(aud) ? aud : [aud];
  return typeof only === 'string' && others.length === 0 ? only : undefined;
}

function checkAlgorithm({ alg }: Assertion, { algs }: AssertionRules): string | undefined {
  return algs.includes(alg) ? undefined : `alg is ${quoted(alg)}, expected one of ${algs.join(', ')}`;
}

// RFC 8725 §3.11: a token of another kind, such as one of our own access tokens, must not pass for an assertion.
function checkType({ typ }: Assertion): string | undefined {
  if (typ === undefined || (typeof typ === 'string' && ASSERTION_TYPES.has(shortType(typ)))) return undefined;
  return `typ is ${quoted(typ)}, expected JWT, client-authentication+jwt or none`;
}

const ASSERTION_TYPES: ReadonlySet<string> = new Set(['jwt', 'client-authentication+jwt']);

/** Normalizes a media type (RFC 7515 §4.1.9): its case does not matter, and it may leave out `application/`. */
function shortType(typ: string): string {
  return typ.toLowerCase().replace(/^application\/(?=[^/]*$)/, '');
}

function checkIssuer({ claims: { iss }, clientId }: Assertion): string | undefined {
  return iss === clientId ? undefined : `iss is ${quoted(iss)}, expected the same as sub: ${clientId}`;
}

function checkAudience(assertion: Assertion, { audiences, issuer, plainAudience }: AssertionRules): string | undefined {
  const audience = audienceOf(assertion);
  const isTaken = !plainAudience || typeof assertion.claims['aud'] === 'string';
  if (audience !== undefined && audiences.has(audience) && isTaken) return undefined;
  return `aud is ${quoted(assertion.claims['aud'])}, expected ${issuer}`;
}

function checkExpiry({ claims: { exp } }: Assertion, { now, tolerance }: AssertionRules): string | undefined {
  if (!isNumericDate(exp)) return `exp is ${quoted(exp)}, expected a number of seconds since 1970`;
  const late = now - exp;
  return late < tolerance ? undefined : `expired ${Math.floor(late)} seconds ago by our clock (${now})`;
}

/** Whether a value is a NumericDate, which may have a fraction of a second (RFC 7519 §2). */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function checkLifetime(assertion: Assertion, { audiences, now, tolerance }: AssertionRules): string | undefined {
  // Other checks report a wrong audience, and an exp that is not a number.
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
  if (!isNumericDate(time)) return `${claim} is ${quoted(time)}, expected a number of seconds`;
  const ahead = Math.ceil(time - now);
  return ahead <= tolerance ? undefined : `${claim} is ${ahead} seconds ahead of our clock (${now})`;
}

function checkJti(assertion: Assertion): string | undefined {
  return assertionId(assertion) === undefined
    ? `jti is ${quoted(assertion.claims['jti'])}, expected a string of 1 to 128 characters`
    : undefined;
}
