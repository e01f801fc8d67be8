import type { Credential } from '../credentials/credential.ts';
import type { ClientId } from '../ids.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { RevokedTokenStore } from '../status/revoked-token-store.ts';
import type { VerifiedToken, VerifyAccessToken } from './verify-access-token.ts';

/** The reasons why a token does not work although it verifies, for the log; a closed list. */
export type DeadReason = 'account_unknown' | 'account_disabled' | 'credential_revoked' | 'token_revoked';

/**
 * Verifies a token, and checks that the token, its credential and its account still work; undefined: one of them does
 * not.
 */
export type InspectToken = (compact: string) => Promise<VerifiedToken | undefined>;

/**
 * The credential that got a token. Undefined: the credential, its account or its company has been disabled or deleted
 * since then, which revokes the status entry of the credential for good.
 */
export function mintedBy(
  { status }: Pick<VerifiedToken, 'status'>,
  { credentials }: Pick<AccountSnapshot, 'credentials'>,
): Credential | undefined {
  if (status === undefined) return undefined;
  return credentials.find((one) => one.status?.list === status.list && one.status.idx === status.idx);
}

export function createTokenInspector({
  verify,
  find,
  revokedTokens,
}: {
  verify: VerifyAccessToken;
  /** Finds an account in the memory of this node, or else in the database. */
  find: (clientId: ClientId) => Promise<AccountSnapshot | undefined> | AccountSnapshot | undefined;
  revokedTokens: Pick<RevokedTokenStore, 'isRevoked'>;
}): InspectToken {
  return async (compact) => {
    const token = await verify(compact);
    const snapshot = token && (await find(token.clientId));
    if (token === undefined || snapshot === undefined || !snapshot.enabled) return undefined;
    if (mintedBy(token, snapshot) === undefined || (await revokedTokens.isRevoked(token.jti))) return undefined;
    return token;
  };
}
