import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { isClientId, type ClientId } from '../ids.ts';
import { TOKEN_TYPES } from '../resource-servers/resource-server.ts';
import type { KeyRing } from '../signing-keys/key-ring.ts';
import { SIGNING_ALGS } from '../signing-keys/signing-key.ts';
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

/** @returns what the token says, or undefined when it is not one of ours, not for this audience, or not valid now */
export type VerifyAccessToken = (token: string) => Promise<VerifiedToken | undefined>;

/**
 * Verifies our own access tokens (RFC 9068 §4): signature by one of our keys with that key's own algorithm, `typ`, `iss`,
 * `aud` and `exp`. Whether what minted it still stands is another question.
 *
 * @param audience the only one that is accepted; undefined: any
 */
export function createAccessTokenVerifier({
  keyRing,
  issuer,
  audience,
  clock,
}: {
  keyRing: () => KeyRing;
  issuer: string;
  audience: string | undefined;
  clock: Clock;
}): VerifyAccessToken {
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        ({ kid, alg }) => {
          const key = keyRing().keys.find((candidate) => candidate.kid === kid && candidate.alg === alg);
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key.publicJwk;
        },
        {
          algorithms: [...SIGNING_ALGS],
          issuer,
          currentDate: clock(),
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
        },
      );
      const { sub, scope, aud, exp, jti } = payload;
      if (!TOKEN_TYPES.some((type) => type === protectedHeader.typ)) return undefined;
      if (typeof sub !== 'string' || !isClientId(sub) || exp === undefined || jti === undefined) return undefined;
      if (typeof aud !== 'string' || (audience !== undefined && aud !== audience)) return undefined;
      return {
        clientId: sub,
        audience: aud,
        permissions: new Set(typeof scope === 'string' ? scope.split(' ') : []),
        jti,
        expiresAt: new Date(exp * 1000),
        status: parseStatusClaim(issuer, payload['status']),
        claims: payload,
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}
