import { DomainError, type FieldProblem } from '../domain-error.ts';
import { matchesGlob } from './matches-glob.ts';
import { whatSharedIssuerNeeds } from './shared-issuers.ts';

/** A value that a claim must have: of the same type, and equal. */
export type ClaimValue = string | number | boolean;

/**
 * A rule that says which tokens of an issuer stand for an account: those whose subject and claims all fit. With
 * `match: glob` texts are patterns, as {@link matchesGlob} reads them.
 */
export interface ClaimRule {
  /** The `iss` of the tokens. */
  readonly issuer: string;
  readonly subject: string | undefined;
  /** By the name of the claim, or by a JSON pointer (RFC 6901) to a member inside a claim. */
  readonly claims: Readonly<Record<string, ClaimValue>>;
  readonly match: 'exact' | 'glob';
}

/** A claim that does not fit a rule. `came` is undefined when the token has no such claim. */
export interface Mismatch {
  /** The name of the claim, or the JSON pointer to it. */
  readonly claim: string;
  readonly expected: ClaimValue;
  readonly came: unknown;
}

/** The claims that a token does not have as the rule wants them; none: the token fits. */
export function mismatches(rule: ClaimRule, token: Readonly<Record<string, unknown>>): readonly Mismatch[] {
  return wantedClaims(rule, token).filter(({ fits }) => !fits);
}

/** All claims that a rule wants, with what the token has. */
export function wantedClaims(
  rule: ClaimRule,
  token: Readonly<Record<string, unknown>>,
): readonly (Mismatch & { readonly fits: boolean })[] {
  return claimsOf(rule).map(([claim, expected]) => {
    const came = claimAt(token, claim);
    return { claim, expected, came, fits: doesFit(expected, came, rule.match) };
  });
}

function claimsOf({
  subject,
  claims,
}: Pick<ClaimRule, 'subject' | 'claims'>): readonly (readonly [string, ClaimValue])[] {
  return [...(subject === undefined ? [] : [['sub', subject] as const]), ...Object.entries(claims)];
}

function doesFit(expected: ClaimValue, came: unknown, match: ClaimRule['match']): boolean {
  if (match === 'glob' && typeof expected === 'string') return typeof came === 'string' && matchesGlob(expected, came);
  // JSON loses digits of greater numbers, so that two different numbers would look the same.
  if (typeof expected === 'number') return Number.isSafeInteger(came) && came === expected;
  return came === expected;
}

/** Reads a claim by its name or by its JSON pointer; undefined: there is none. */
function claimAt(token: Readonly<Record<string, unknown>>, claim: string): unknown {
  const path = claim.startsWith('/') ? claim.slice(1).split('/').map(unescaped) : [claim];
  let value: unknown = token;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.entries(value).find(([member]) => member === name)?.[1];
  }
  return value;
}

/** Reads one part of a JSON pointer (RFC 6901 §4). */
function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

const MOST_CLAIMS = 20;
const MOST_CHARACTERS = 1024;

/** Claims that other checks look at: a rule about them would mislead. */
const CHECKED_ELSEWHERE: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti']);

/**
 * Refuses a rule that nobody can mean, and a rule that lets in more than one tenant of an issuer that the whole world
 * shares.
 *
 * @param at the position of the rule in the body of the request, as a JSON pointer
 * @throws DomainError `invalid_value` with a pointer for each problem, `rule_unsafe` with the claim to add
 */
export function assertRule(rule: ClaimRule, at: string): void {
  const { issuer, subject, claims, match } = rule;
  const names = Object.keys(claims);
  const problem = (member: string, message: string): FieldProblem => ({ pointer: `${at}/${member}`, message });
  const fields = [
    ...(subject === undefined && names.length === 0
      ? [problem('claims', 'must have a claim, unless there is a subject')]
      : []),
    ...(names.length > MOST_CLAIMS ? [problem('claims', `has more than ${MOST_CLAIMS} claims`)] : []),
    ...claimsOf(rule).flatMap(([claim, value]) => {
      const member =
        claim === 'sub' && value === subject
          ? 'subject'
          : `claims/${claim.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const message = wrongWith(value, match) ?? (member === 'subject' ? undefined : wrongWithName(claim));
      return message === undefined ? [] : [problem(member, message)];
    }),
  ];
  if (fields.length > 0) throw new DomainError('invalid_value', 'The rule cannot be used', { fields });
  const needed = whatSharedIssuerNeeds(issuer);
  if (needed === undefined || isExact(subject, match) || needed.some((claim) => isExact(claims[claim], match))) return;
  throw new DomainError(
    'rule_unsafe',
    `Everybody can get tokens of ${issuer}: the rule needs one of ${needed.join(', ')} with its exact value, or an exact subject`,
    { fields: [problem('claims', `must have ${needed[0]}, with its exact value`)] },
  );
}

function isExact(value: ClaimValue | undefined, match: ClaimRule['match']): boolean {
  return value !== undefined && !(match === 'glob' && typeof value === 'string' && value.includes('*'));
}

function wrongWith(value: ClaimValue, match: ClaimRule['match']): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? undefined : 'must be a whole number below 2^53';
  if (typeof value === 'boolean') return undefined;
  if (value === '' || value.trim() !== value) return 'must not be empty, and must not begin or end with a blank';
  if (value.length > MOST_CHARACTERS) return `has more than ${MOST_CHARACTERS} characters`;
  if (match === 'exact') return value.includes('*') ? 'has a *, which stands for itself: set match to glob' : undefined;
  if (value.startsWith('*')) return 'must not begin with *: it would let in everything that ends alike';
  return value.includes('***') ? 'has more than two * beside one another' : undefined;
}

function wrongWithName(claim: string): string | undefined {
  if (CHECKED_ELSEWHERE.has(claim)) return 'is checked for every token: it is no claim of a rule';
  if (claim === 'sub') return 'is the subject of the rule';
  if (claim === '' || claim.length > MOST_CHARACTERS) return `must have 1 to ${MOST_CHARACTERS} characters`;
  return /~(?![01])/.test(claim) && claim.startsWith('/') ? 'must write ~ as ~0 and / as ~1 (RFC 6901)' : undefined;
}
