import type { CredentialId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Credential } from './credential.ts';

export interface CredentialStore {
  insert(account: AccountKey, credentials: readonly Credential[]): Promise<void>;
  update(account: AccountKey, credential: Credential): Promise<void>;
  delete(account: AccountKey, credentialId: CredentialId): Promise<void>;
  /**
   * Forgets some of those that have a successor and ended before a time.
   *
   * @returns how many
   */
  forgetEnded(before: Date): Promise<number>;
}
