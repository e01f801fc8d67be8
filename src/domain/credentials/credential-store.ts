import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Credential } from './credential.ts';

export interface CredentialStore {
  insert(account: AccountKey, credentials: readonly Credential[]): Promise<void>;
}
