import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { isClientId, type ClientId } from '../ids.ts';
import { type Confirmation, readConfirmation } from '../possession/confirmation.ts';
import { TOKEN_TYPES } from '../resource-servers/resource-server.ts';
import { SIGNING_ALGS } from '../signing-keys/signing-key.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import { parseStatusClaim, type StatusEntry } from '../status/status-entry.ts';

/** An access token of this server (RFC 9068 §2.2) whose signature is good and that has not expired. */
export interface VerifiedToken {
  readonly clientId: ClientId;
  /** The account that impersonates the account of the token (`act`, RFC 8693 §4.1); undefined: nobody does. */
  readonly actor: ClientId | undefined;
  /** The value of `aud`. */
  readonly audience: string;
  readonly permissions: ReadonlySet<string>;
  readonly jti: string;
  readonly expiresAt: Date;
  /** The keys to which the token is bound; undefined: to none. */
  readonly confirmation: Confirmation | undefined;
  /** The status entry of the credential that got the token: a credential of the actor, if there is one. */
  readonly status: StatusEntry | undefined;
  /** All claims of the token. */
  readonly claims: JWTPayload;
}

/** An access token of this server whose signature is good, but that has expired or is for another audience. */
export interface UnfitToken {
  /** A sentence for the holder of the token, in characters that an error description may have (RFC 6750 §3). */
  readonly unfit: string;
}

/** @returns the token, or why it is unfit; undefined: it is not a valid token of this server */
export type JudgeAccessToken = (token: string) => Promise<VerifiedToken | UnfitToken | undefined>;

/** @returns the token; undefined: it is not a token of this server, is for another audience, or is not valid now */
export type VerifyAccessToken = (token: string) => Promise<VerifiedToken | undefined>;

export interface AccessTokenRules {
  readonly signingKeys: Pick<SigningKeys, 'current'>;
  readonly issuer: string;
  /** The only accepted audience; undefined: every audience is accepted. */
  readonly audience: string | undefined;
  readonly clock: Clock;
}

/**
 * Creates the verifier of our own access tokens (RFC 9068 §4). It checks the signature by one of our keys with the
 * algorithm of that key, `typ`, `iss`, `aud` and `exp`. It does not check whether the token has been revoked.
 */
export function createAccessTokenVerifier(rules: AccessTokenRules): VerifyAccessToken {
  const judge = createAccessTokenJudge(rules);
  return async (token) => {
    const judged = await judge(token);
    return judged === undefined || 'unfit' in judged ? undefined : judged;
  };
}

/**
 * Creates a verifier like {@link createAccessTokenVerifier}. If the signature of a token is good, this one also says
 * that the token has expired, or which audience it is for.
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
      // `jose` checks the expiry last: the signature has been verified.
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
    const actor = actorOf(claims);
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
      actor,
      audience: aud,
      permissions: new Set(typeof scope === 'string' ? scope.split(' ') : []),
      jti,
      confirmation: readConfirmation(claims['cnf']),
      expiresAt: new Date(exp * 1000),
      status: parseStatusClaim(issuer, claims['status']),
      claims,
    };
  };
}

function hasOurType({ typ }: { readonly typ?: unknown }): boolean {
  return TOKEN_TYPES.some((type) => type === typ);
}

function actorOf({ act }: JWTPayload): ClientId | undefined {
  if (act === undefined) return undefined;
  const sub = typeof act === 'object' && act !== null && 'sub' in act ? String(act.sub) : '';
  if (!isClientId(sub)) throw new Error('an access token of this server names no account in act');
  return sub;
}

function sayable(identifier: string): string {
  return identifier.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7E]/g, '?');
}
