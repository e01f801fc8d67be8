import type { ClientId, CompanyId, CredentialId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { Credential } from './credential.ts';

export interface CredentialStore {
  insert(account: AccountKey, credentials: readonly Credential[]): Promise<void>;
  update(account: AccountKey, credential: Credential): Promise<void>;
  /**
   * Has those that a policy lets work for a shorter time end when it says, counted from now.
   *
   * @param company only those of its accounts; undefined: all
   * @returns how many
   */
  limit(company: CompanyId | undefined, policy: CredentialPolicy, now: Date): Promise<number>;
  /** How many enabled ones expire before a time and after now, by kind. */
  countExpiring(now: Date, before: Date): Promise<ReadonlyMap<Credential['type'], number>>;
  delete(account: AccountKey, credentialId: CredentialId): Promise<void>;
  /** Whose the secret or the API key with this hash is. */
  ownerOf(secretHash: Buffer): Promise<ClientId | undefined>;
  /**
   * Forgets some of those that have a successor and ended before a time.
   *
   * @returns how many
   */
  forgetEnded(before: Date): Promise<number>;
}
