import type { CredentialId } from '../ids.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Storage } from '../storage.ts';
import type { VerifiedToken } from './verify-access-token.ts';

/** Ends one access token of the client that asks for it (RFC 7009); said twice, it is done once. */
export type RevokeToken = (token: VerifiedToken, by: Revoker) => Promise<void>;

/** The client that asks for it, which is the one that the token belongs to. */
export interface Revoker extends Pick<Caller, 'company' | 'requestId' | 'source'> {
  /** The credential that authenticated it. */
  readonly credentialId: CredentialId | undefined;
}

export function createRevokeToken({ write }: Pick<Storage, 'write'>): RevokeToken {
  return (token, { company, requestId, source, credentialId }) => {
    const { clientId, jti, audience } = token;
    const actor = { type: 'service_account', clientId, ...(credentialId !== undefined && { credentialId }) } as const;
    return write({ actor, requestId, source }, async ({ revokedTokens }) => {
      const revoked = await revokedTokens.revoke(token);
      const entry = { action: 'token.revoked', target: jti, company, details: { audience }, changes: [] } as const;
      return { result: undefined, audit: revoked ? [entry] : [] };
    });
  };
}
