import { quoted } from '../assertions/quoted.ts';
import type { Jws } from '../assertions/parse-jws.ts';
import type { IssuerAlg } from './trusted-issuer.ts';

/** A token of another issuer that has the right form. Its signature and its claims have not been checked. */
export type ExternalToken = Jws<IssuerAlg> & { readonly issuer: string };

/** The rules for checking the times and the audience of one external token; times are Unix times in seconds. */
export interface ExternalRules {
  /** The accepted values of `aud`. */
  readonly audiences: ReadonlySet<string>;
  readonly maxTokenAge: number;
  /** Whether each token must have a `jti` by which it is consumed. */
  readonly once: boolean;
  readonly tolerance: number;
  readonly now: number;
}

/** A check that an external token failed; only the bearer of a token that its issuer has signed may read `message`. */
export interface FailedExternalCheck {
  readonly check: ExternalCheck;
  readonly message: string;
}

/** The checks by name, in the order in which they are made. */
export const EXTERNAL_CHECKS = ['type', 'time', 'audience', 'jti'] as const;
type ExternalCheck = (typeof EXTERNAL_CHECKS)[number];

const CHECKS: Readonly<Record<ExternalCheck, (token: ExternalToken, rules: ExternalRules) => string | undefined>> = {
  type: wrongType,
  time: wrongTime,
  audience: wrongAudience,
  jti: wrongId,
};

/**
 * Makes every check of an external token (RFC 8725 §3.9 and §3.11, RFC 7519 §4.1): its type, its times, that its only
 * audience is accepted, and that it has an id where it needs one.
 *
 * @returns all checks; a passed check has no message
 */
export function measureExternalToken(
  token: ExternalToken,
  rules: ExternalRules,
): readonly { readonly check: ExternalCheck; readonly message: string | undefined }[] {
  return EXTERNAL_CHECKS.map((check) => ({ check, message: CHECKS[check](token, rules) }));
}

/**
 * Checks an external token whose signature has been verified, as {@link measureExternalToken} does.
 *
 * @returns the first failed check; undefined: the token passed every check
 */
export function checkExternalToken(token: ExternalToken, rules: ExternalRules): FailedExternalCheck | undefined {
  for (const { check, message } of measureExternalToken(token, rules)) {
    if (message !== undefined) return { check, message };
  }
  return undefined;
}

const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'id+jwt']);

function wrongType({ typ }: ExternalToken): string | undefined {
  if (typ === undefined) return undefined;
  const short = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  return TYPES.has(short) ? undefined : `typ is ${quoted(typ)}, expected JWT, at+jwt or none`;
}

function wrongTime({ claims: { exp, iat, nbf } }: ExternalToken, rules: ExternalRules): string | undefined {
  const { now, tolerance, maxTokenAge } = rules;
  if (!isTime(exp)) return `exp is ${quoted(exp)}, expected a number of seconds since 1970`;
  if (now - exp >= tolerance) return `the token expired ${Math.floor(now - exp)} seconds ago by our clock (${now})`;
  if (!isTime(iat)) return `iat is ${quoted(iat)}, expected a number of seconds since 1970`;
  if (iat - now > tolerance) return `iat is ${Math.ceil(iat - now)} seconds ahead of our clock (${now})`;
  if (now - iat > maxTokenAge + tolerance) {
    return `the token was issued ${Math.floor(now - iat)} seconds ago, at most ${maxTokenAge} are accepted`;
  }
  if (nbf === undefined) return undefined;
  if (!isTime(nbf)) return `nbf is ${quoted(nbf)}, expected a number of seconds since 1970`;
  return nbf - now > tolerance ? `nbf is ${Math.ceil(nbf - now)} seconds ahead of our clock (${now})` : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function wrongAudience({ claims: { aud } }: ExternalToken, { audiences }: ExternalRules): string | undefined {
  const [only, ...others]: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (typeof only === 'string' && others.length === 0 && audiences.has(only)) return undefined;
  return `aud is ${quoted(aud)}, expected ${[...audiences].join(' or ')}`;
}

function wrongId({ claims: { jti } }: ExternalToken, { once }: ExternalRules): string | undefined {
  if (!once || (typeof jti === 'string' && jti !== '' && jti.length <= 1024)) return undefined;
  return `jti is ${quoted(jti)}, expected a text: this issuer's tokens are good for one request`;
}
