import { errors, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { isClientId, type ClientId } from '../ids.ts';
import type { KeyRing } from '../signing-keys/key-ring.ts';
import { SIGNING_ALGS } from '../signing-keys/signing-key.ts';

/** What one of our access tokens says (RFC 9068 §2.2), as far as we ask. */
export interface AccessTokenClaims {
  readonly clientId: ClientId;
  readonly permissions: ReadonlySet<string>;
  readonly expiresAt: Date;
}

/** @returns what the token says, or undefined when it is not one of ours, not for this audience, or not valid now */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | undefined>;

/**
 * Verifies our own access tokens for one audience (RFC 9068 §4): signature by one of our keys with that key's own
 * algorithm, `typ`, `iss`, `aud` and `exp`.
 */
export function createAccessTokenVerifier({
  keyRing,
  issuer,
  audience,
  clock,
}: {
  keyRing: () => KeyRing;
  issuer: string;
  audience: string;
  clock: Clock;
}): VerifyAccessToken {
  return async (token) => {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid, alg }) => {
          const key = keyRing().keys.find((candidate) => candidate.kid === kid && candidate.alg === alg);
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key.publicJwk;
        },
        {
          algorithms: [...SIGNING_ALGS],
          typ: 'at+jwt',
          issuer,
          audience,
          currentDate: clock(),
          requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
        },
      );
      const { sub, scope, aud, exp } = payload;
      if (typeof sub !== 'string' || !isClientId(sub) || aud !== audience || exp === undefined) return undefined;
      return {
        clientId: sub,
        permissions: new Set(typeof scope === 'string' ? scope.split(' ') : []),
        expiresAt: new Date(exp * 1000),
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}
