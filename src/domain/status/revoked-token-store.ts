import type { ClientId } from '../ids.ts';

/** The access tokens that were revoked one by one (RFC 7009), by their `jti`. A token is kept until it has expired. */
export interface RevokedTokenStore {
  /** @returns false when the token has been revoked already */
  revoke(token: { readonly jti: string; readonly clientId: ClientId; readonly expiresAt: Date }): Promise<boolean>;
  isRevoked(jti: string): Promise<boolean>;
  /** Deletes some tokens that expired before a time. @returns the number of deleted tokens */
  deleteExpired(before: Date): Promise<number>;
}
