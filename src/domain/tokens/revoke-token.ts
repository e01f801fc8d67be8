import type { CompanyId } from '../ids.ts';
import type { Storage } from '../storage.ts';
import type { VerifiedToken } from './verify-access-token.ts';

/** Ends one access token of the client that asks for it (RFC 7009); said twice, it is done once. */
export type RevokeToken = (token: VerifiedToken, company: CompanyId | undefined, requestId: string) => Promise<void>;

export function createRevokeToken({ write }: Pick<Storage, 'write'>): RevokeToken {
  return (token, company, requestId) => {
    const { clientId, jti, audience } = token;
    const origin = { actor: { type: 'service_account', clientId }, requestId } as const;
    return write(origin, async ({ revokedTokens }) => {
      const revoked = await revokedTokens.revoke(token);
      const entry = { action: 'token.revoked', target: jti, company, details: { audience }, changes: [] } as const;
      return { result: undefined, audit: revoked ? [entry] : [] };
    });
  };
}
