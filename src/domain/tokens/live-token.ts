import type { Credential } from '../credentials/credential.ts';
import type { ClientId } from '../ids.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { RevokedTokenStore } from '../status/revoked-token-store.ts';
import type { VerifiedToken, VerifyAccessToken } from './verify-access-token.ts';

/** Why a token is worth nothing although it verifies; a closed list, for the log. */
export type DeadReason = 'account_unknown' | 'account_disabled' | 'credential_revoked' | 'token_revoked';

/** What a token that somebody presents says, as long as it is worth something; undefined: nothing. */
export type InspectToken = (compact: string) => Promise<VerifiedToken | undefined>;

/**
 * The credential that minted a token, as long as neither it nor its account nor its company has been disabled or deleted
 * since: each of these takes its place in the status lists away for good.
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
  /** The accounts, as this node remembers them. */
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
