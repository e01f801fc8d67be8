import type { CredentialId } from '../ids.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Storage } from '../storage.ts';
import type { VerifiedToken } from './verify-access-token.ts';

/** Revokes one access token for the client that got it (RFC 7009). To revoke a token again changes nothing. */
export type RevokeToken = (token: VerifiedToken, by: Revoker) => Promise<void>;

/** The client that revokes a token that it got. */
export interface Revoker extends Pick<Caller, 'clientId' | 'company' | 'requestId' | 'source'> {
  /** The credential that authenticated the client. */
  readonly credentialId: CredentialId | undefined;
}

export function createRevokeToken({ write }: Pick<Storage, 'write'>): RevokeToken {
  return (token, { clientId, company, requestId, source, credentialId }) => {
    const { jti, audience } = token;
    const actor = { type: 'service_account', clientId, ...(credentialId !== undefined && { credentialId }) } as const;
    return write({ actor, requestId, source }, async ({ revokedTokens }) => {
      const revoked = await revokedTokens.revoke(token);
      const entry = { action: 'token.revoked', target: jti, company, details: { audience }, announces: [] } as const;
      return { result: undefined, audit: revoked ? [entry] : [] };
    });
  };
}
