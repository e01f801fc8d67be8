import type { ClientId } from '../ids.ts';

/** Single access tokens that were revoked (RFC 7009), by their `jti`, for as long as they would have lasted. */
export interface RevokedTokenStore {
  /** @returns false when it was revoked already */
  revoke(token: { readonly jti: string; readonly clientId: ClientId; readonly expiresAt: Date }): Promise<boolean>;
  isRevoked(jti: string): Promise<boolean>;
  /** Forgets some that have expired. @returns how many */
  forgetExpired(before: Date): Promise<number>;
}
