import type { ClientId, CompanyId, CredentialId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AccountKey, ServiceAccount } from '../service-accounts/service-account.ts';
import type { CredentialState } from './credential-base.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { Credential } from './credential.ts';
import type { UsedCredential } from './used-credential.ts';

/** A filter of credentials; an undefined member lets every credential pass. */
export interface CredentialFilter {
  readonly type?: Credential['type'] | undefined;
  readonly state?: CredentialState | undefined;
  /** Of this account. */
  readonly clientId?: string | undefined;
  readonly createdBefore?: Date | undefined;
  /** That expire before, or have expired. */
  readonly expiringBefore?: Date | undefined;
  /** That have not been used since; never used is before everything. */
  readonly lastUsedBefore?: Date | undefined;
}

/** A credential in a list across accounts, with whose it is. It says neither a hash nor a place in the status lists. */
export interface ListedCredential extends UsedCredential {
  readonly account: AccountKey & Pick<ServiceAccount, 'slug'>;
}

export interface CredentialStore {
  /** Newest first. @param company undefined: of root; `*`: of root and of every company */
  list(
    company: CompanyId | '*' | undefined,
    filter: CredentialFilter,
    page: PageRequest,
  ): Promise<Page<ListedCredential>>;
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
