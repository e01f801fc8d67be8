import type { RememberedCredential } from '../credentials/credential.ts';
import { reachOf } from '../credentials/reach.ts';
import type { ClientId } from '../ids.ts';
import type { ManagementPermission } from '../permissions/management-permissions.ts';
import { covers } from '../permissions/scope-token.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import type { RevokedTokenStore } from '../status/revoked-token-store.ts';
import type { VerifiedToken, VerifyAccessToken } from './verify-access-token.ts';

/** The reasons why a token does not work although it verifies, for the log; a closed list. */
export type DeadReason = 'account_unknown' | 'account_disabled' | 'credential_revoked' | 'token_revoked';

/**
 * Verifies a token, and checks that the token, its credential and its account still work; undefined: one of them does
 * not.
 */
export type InspectToken = (compact: string) => Promise<VerifiedToken | undefined>;

/** The permission to get a token as another account. */
export const IMPERSONATING: ManagementPermission = 'writ.serviceaccounts.impersonate';

/** The account whose credential got a token: the account of the token, or the account that impersonates it. */
export function holderOf({ clientId, actor }: Pick<VerifiedToken, 'clientId' | 'actor'>): ClientId {
  return actor ?? clientId;
}

/**
 * The credential that got a token. Undefined: the credential, its account or its company has been disabled or deleted
 * since then, which revokes the status entry of the credential for good; or the account that impersonates another one
 * may not do so any more.
 *
 * @param holder the account that `holderOf` names
 */
export function mintedBy<Credential extends RememberedCredential>(
  { status, actor }: Pick<VerifiedToken, 'status' | 'actor'>,
  holder: Pick<RememberedAccount, 'holdings'> & { readonly credentials: readonly Credential[] },
): Credential | undefined {
  if (status === undefined) return undefined;
  const credential = holder.credentials.find(
    (one) => one.status?.list === status.list && one.status.idx === status.idx,
  );
  if (credential === undefined || actor === undefined) return credential;
  return covers(reachOf(holder.holdings, credential).get('management'), IMPERSONATING) ? credential : undefined;
}

export function createTokenInspector({
  verify,
  find,
  revokedTokens,
}: {
  verify: VerifyAccessToken;
  /** Finds an account in the memory of this node, or else in the database. */
  find: (clientId: ClientId) => Promise<RememberedAccount | undefined> | RememberedAccount | undefined;
  revokedTokens: Pick<RevokedTokenStore, 'isRevoked'>;
}): InspectToken {
  return async (compact) => {
    const token = await verify(compact);
    const snapshot = token && (await find(token.clientId));
    if (token === undefined || snapshot === undefined || !snapshot.enabled) return undefined;
    const holder = token.actor === undefined ? snapshot : await find(token.actor);
    if (holder === undefined || mintedBy(token, holder) === undefined) return undefined;
    return (await revokedTokens.isRevoked(token.jti)) ? undefined : token;
  };
}
