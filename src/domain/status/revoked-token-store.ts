import type { ClientId } from '../ids.ts';

/** Single access tokens that were revoked (RFC 7009), by their `jti`, for as long as they would have lasted. */
export interface RevokedTokenStore {
  revoke(token: { readonly jti: string; readonly clientId: ClientId; readonly expiresAt: Date }): Promise<void>;
  isRevoked(jti: string): Promise<boolean>;
  /** Forgets some that have expired. @returns how many */
  forgetExpired(before: Date): Promise<number>;
}
