import type { RememberedCredential } from '../credentials/credential.ts';
import type { ClientId } from '../ids.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { type ApiKeyRefusal, type FindApiKey, isApiKey } from './find-api-key.ts';
import { type InspectToken, mintedBy } from './live-token.ts';
import type { VerifiedToken } from './verify-access-token.ts';

/** An API key or an access token of this server that is exchanged for a token (RFC 8693), and works. */
export interface Exchanged {
  /** The API key, or the credential that got the token. */
  readonly credential: RememberedCredential;
  readonly snapshot: RememberedAccount;
  /** The token, within whose permissions, audience and time the new token stays; undefined: an API key is exchanged. */
  readonly within: Pick<VerifiedToken, 'permissions' | 'audience' | 'expiresAt' | 'confirmation'> | undefined;
}

/** Why nothing can be exchanged, with the account and the credential if they are known. */
export interface RefusedExchange extends Partial<Pick<Exchanged, 'credential' | 'snapshot'>> {
  readonly refused: ApiKeyRefusal | 'token_inactive' | 'token_impersonated';
}

/**
 * Finds out what a subject token stands for.
 *
 * @param mayAsk whether the database may be asked for an API key that this node does not remember
 */
export type FindExchanged = (subjectToken: string, mayAsk: boolean) => Promise<Exchanged | RefusedExchange>;

/** Whether a text may be a subject token: an API key, or a JWT. */
export function isSubjectToken(text: string): boolean {
  return isApiKey(text) || /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

export function createExchangeFinder({
  findApiKey,
  inspectToken,
  find,
}: {
  readonly findApiKey: FindApiKey;
  readonly inspectToken: InspectToken;
  /** Finds an account in the memory of this node, or else in the database. */
  readonly find: (clientId: ClientId) => Promise<RememberedAccount | undefined> | RememberedAccount | undefined;
}): FindExchanged {
  return async (subjectToken, mayAsk) => {
    if (isApiKey(subjectToken)) {
      const found = await findApiKey(subjectToken, mayAsk);
      return 'refused' in found ? found : { ...found, within: undefined };
    }
    const token = await inspectToken(subjectToken);
    const snapshot = token && (await find(token.clientId));
    if (token === undefined || snapshot === undefined) return { refused: 'token_inactive' };
    // The new token would look as if the account itself had got it.
    if (token.actor !== undefined) return { refused: 'token_impersonated', snapshot };
    const credential = mintedBy(token, snapshot);
    return credential === undefined ? { refused: 'token_inactive' } : { credential, snapshot, within: token };
  };
}
