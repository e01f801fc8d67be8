import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { isClientId, type ClientId } from '../ids.ts';
import { TOKEN_TYPES } from '../resource-servers/resource-server.ts';
import { SIGNING_ALGS } from '../signing-keys/signing-key.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import { parseStatusClaim, type StatusEntry } from '../status/status-entry.ts';

/** One of our access tokens (RFC 9068 §2.2), whose signature and time are good. */
export interface VerifiedToken {
  readonly clientId: ClientId;
  /** Its `aud`. */
  readonly audience: string;
  readonly permissions: ReadonlySet<string>;
  readonly jti: string;
  readonly expiresAt: Date;
  /** The place of the credential that minted it. */
  readonly status: StatusEntry | undefined;
  /** All that it says. */
  readonly claims: JWTPayload;
}

/** One of our access tokens whose signature is good, and which is worth nothing where it was sent. */
export interface UnfitToken {
  /** A sentence for whoever holds it, in characters that an error description may have (RFC 6750 §3). */
  readonly unfit: string;
}

/** @returns what the token says, or why it does not fit, or undefined when it is not one of ours at all */
export type JudgeAccessToken = (token: string) => Promise<VerifiedToken | UnfitToken | undefined>;

/** @returns what the token says, or undefined when it is not one of ours, not for this audience, or not valid now */
export type VerifyAccessToken = (token: string) => Promise<VerifiedToken | undefined>;

export interface AccessTokenRules {
  readonly signingKeys: Pick<SigningKeys, 'current'>;
  readonly issuer: string;
  /** The only one that is accepted; undefined: any. */
  readonly audience: string | undefined;
  readonly clock: Clock;
}

/**
 * Verifies our own access tokens (RFC 9068 §4): signature by one of our keys with that key's own algorithm, `typ`, `iss`,
 * `aud` and `exp`. Whether what minted it still stands is another question.
 */
export function createAccessTokenVerifier(rules: AccessTokenRules): VerifyAccessToken {
  const judge = createAccessTokenJudge(rules);
  return async (token) => {
    const judged = await judge(token);
    return judged === undefined || 'unfit' in judged ? undefined : judged;
  };
}

/**
 * Verifies as {@link createAccessTokenVerifier} does, and says of a token whose signature is good that it has expired, or
 * whom it is for.
 */
export function createAccessTokenJudge({ signingKeys, issuer, audience, clock }: AccessTokenRules): JudgeAccessToken {
  async function read(compact: string, now: Date): Promise<{ claims: JWTPayload; expired: boolean } | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(
        compact,
        ({ kid, alg }) => {
          const key = signingKeys.current().keys.find((candidate) => candidate.kid === kid && candidate.alg === alg);
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key.publicJwk;
        },
        {
          algorithms: [...SIGNING_ALGS],
          issuer,
          currentDate: now,
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
        },
      );
      return hasOurType(protectedHeader) ? { claims: payload, expired: false } : undefined;
    } catch (error) {
      // Looked at last of all, when the signature has been found good.
      if (error instanceof errors.JWTExpired) {
        return hasOurType(decodeProtectedHeader(compact)) ? { claims: error.payload, expired: true } : undefined;
      }
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  return async (compact) => {
    const now = clock();
    const token = await read(compact, now);
    if (token === undefined) return undefined;
    const { claims, expired } = token;
    const { sub, scope, aud, exp, jti } = claims;
    if (typeof sub !== 'string' || !isClientId(sub) || exp === undefined || jti === undefined) return undefined;
    if (typeof aud !== 'string') return undefined;
    const elsewhere = audience !== undefined && aud !== audience;
    if (expired || elsewhere) {
      const faults = [
        ...(expired ? [`expired ${Math.max(0, Math.floor(now.getTime() / 1000 - exp))} s ago`] : []),
        ...(elsewhere ? [`is for ${sayable(aud)}: ask for resource=${audience}`] : []),
      ];
      return { unfit: `The access token ${faults.join(', and ')}` };
    }
    return {
      clientId: sub,
      audience: aud,
      permissions: new Set(typeof scope === 'string' ? scope.split(' ') : []),
      jti,
      expiresAt: new Date(exp * 1000),
      status: parseStatusClaim(issuer, claims['status']),
      claims,
    };
  };
}

function hasOurType({ typ }: { readonly typ?: unknown }): boolean {
  return TOKEN_TYPES.some((type) => type === typ);
}

function sayable(identifier: string): string {
  return identifier.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7E]/g, '?');
}
