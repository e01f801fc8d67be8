import type { ClientId, CompanyId, CredentialId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AccountKey, ServiceAccount } from '../service-accounts/service-account.ts';
import type { CredentialState } from './credential-base.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { Credential, CredentialType } from './credential.ts';
import type { UsedCredential } from './used-credential.ts';

/** A filter of credentials; an undefined member lets every credential pass. */
export interface CredentialFilter {
  readonly type?: Credential['type'] | undefined;
  readonly state?: CredentialState | undefined;
  /** The account of the credentials. */
  readonly clientId?: string | undefined;
  readonly createdBefore?: Date | undefined;
  /** The credentials that expire before this time; those that have expired pass, too. */
  readonly expiringBefore?: Date | undefined;
  /** The credentials that have not been used since this time, or never. */
  readonly lastUsedBefore?: Date | undefined;
}

/** A credential in a list across accounts, with its account. Its hash and its status entry are left out. */
export interface ListedCredential extends UsedCredential {
  readonly account: AccountKey & Pick<ServiceAccount, 'slug'>;
}

/** The number of enabled credentials of one type that expire soon, and of those that have expired. */
export interface CountedEnds {
  readonly type: CredentialType;
  readonly expiring: number;
  readonly expired: number;
}

export interface CredentialStore {
  /**
   * Lists credentials, newest first.
   *
   * @param company undefined: the credentials of root; `*`: those of root and of every company
   */
  list(
    company: CompanyId | '*' | undefined,
    filter: CredentialFilter,
    page: PageRequest,
  ): Promise<Page<ListedCredential>>;
  insert(account: AccountKey, credentials: readonly Credential[]): Promise<void>;
  update(account: AccountKey, credential: Credential): Promise<void>;
  /**
   * Shortens the credentials that outlive the maximum age of a policy: they expire at that age, counted from now.
   *
   * @param company only the credentials of this company; undefined: all credentials
   * @returns the number of shortened credentials
   */
  shorten(company: CompanyId | undefined, policy: CredentialPolicy, now: Date): Promise<number>;
  /**
   * Counts enabled credentials by type: those that expire soon, and those that have expired.
   *
   * @param soon credentials that expire between now and then expire soon
   */
  countEnds(now: Date, soon: Date): Promise<readonly CountedEnds[]>;
  delete(account: AccountKey, credentialId: CredentialId): Promise<void>;
  /** Finds the account that has a federated credential for exactly this subject of an issuer. */
  ownerOfSubject(issuer: string, subject: string): Promise<ClientId | undefined>;
  /** As `ownerOfSubject`; until the end of the transaction no other transaction gets an answer for this subject. */
  keepSubject(issuer: string, subject: string): Promise<ClientId | undefined>;
  /** Finds the account that has the client secret or the API key with this hash. */
  ownerOf(secretHash: Buffer): Promise<ClientId | undefined>;
  /**
   * Deletes some rotated credentials that ended before a time.
   *
   * @returns the number of deleted credentials
   */
  deleteEnded(before: Date): Promise<number>;
}
