import type { Limits, Used } from '../companies/company-limits.ts';
import type { Credential } from '../credentials/credential.ts';
import type { WayIn } from '../credentials/ways-in.ts';
import type { ClientId, CompanyId, GroupId, RoleKey } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { StoredGrant } from '../permissions/grant-store.ts';
import type { State } from '../state.ts';
import type { AccountKey, AccountSnapshot, AccountSummary, ServiceAccount } from './service-account.ts';

/** A filter of accounts; undefined members do not restrict it. */
export interface ServiceAccountFilter {
  readonly state?: State | undefined;
  readonly clientId?: string | undefined;
  readonly slug?: string | undefined;
  /** The name of a permission that was granted to the account itself, perhaps at a place. */
  readonly permission?: string | undefined;
  /** The id of a role that was granted to the account itself, perhaps at a place. */
  readonly role?: string | undefined;
  /** The account has not been used since this time; an account that was never used matches. */
  readonly lastUsedBefore?: Date | undefined;
  /** The account has an enabled credential that expires before this time. */
  readonly expiringBefore?: Date | undefined;
  /** A prefix of the name or the slug; case does not matter. */
  readonly search?: string | undefined;
}

/** Accounts that get more permissions together: the members of a group, some of a company, or the holders of a role. */
export type EffectiveHolders =
  | { readonly company: CompanyId; readonly groupId: GroupId }
  | { readonly company: CompanyId; readonly clientIds: readonly ClientId[] }
  | { readonly roleKey: RoleKey };

export interface ServiceAccountStore {
  /**
   * Inserts an account with its credentials and grants, and counts them.
   *
   * @param counting the limits of the company, and the time before which expired credentials do not count; undefined: a
   *   root account
   * @returns the new numbers that may be more than their limits; undefined, and nothing is changed, when the slug or
   *   the id is taken, or the slug is the id of another account
   */
  insert(
    account: ServiceAccount,
    belongings: { readonly credentials: readonly Credential[]; readonly grants: readonly StoredGrant[] },
    counting: { readonly limits: Limits; readonly now: Date } | undefined,
  ): Promise<Used | undefined>;
  /** Finds an account of any company or of root, in one statement: for the authentication of a client. */
  findSnapshot(clientId: ClientId): Promise<AccountSnapshot | undefined>;
  /** As `findSnapshot`; also says whether the single access token with this `jti` has been revoked. */
  findCaller(
    clientId: ClientId,
    jti: string,
  ): Promise<(AccountSnapshot & { readonly tokenRevoked: boolean }) | undefined>;
  /**
   * Finds an account by its id, or else by its slug.
   *
   * @param company undefined: the root accounts
   */
  find(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined>;
  /** Finds accounts of a company by ids or slugs. Nobody deletes these accounts until the end of the transaction. */
  identify(company: CompanyId, idsOrSlugs: readonly string[]): Promise<Pick<ServiceAccount, 'clientId' | 'slug'>[]>;
  /**
   * Returns the ids that belong to existing accounts, in alphabetical order. Nobody deletes these accounts until the
   * end of the transaction.
   *
   * @param company undefined: the accounts of every company and of root
   */
  known(company: CompanyId | undefined, clientIds: readonly ClientId[]): Promise<ClientId[]>;
  /** Returns the names of accounts of a company. */
  named(
    company: CompanyId,
    clientIds: readonly ClientId[],
  ): Promise<Pick<ServiceAccount, 'clientId' | 'slug' | 'name'>[]>;
  /** As `find`; nobody else changes or deletes the account until the end of the transaction. */
  lock(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined>;
  /** The greatest number of permissions that one of these accounts has, counting each way to a permission. */
  mostEffective(of: EffectiveHolders): Promise<number>;
  /** Lists accounts, newest first. @param company `*`: root accounts and the accounts of every company */
  list(
    company: CompanyId | '*' | undefined,
    filter: ServiceAccountFilter,
    page: PageRequest,
    now: Date,
  ): Promise<Page<AccountSummary>>;
  update(account: ServiceAccount): Promise<void>;
  /** Raises the revisions of accounts after a change in another resource, such as a group that they join. */
  touch(company: CompanyId, clientIds: readonly ClientId[], at: Date): Promise<void>;
  /** Deletes an account and everything that belongs to it. The id is never given out again. */
  delete(account: AccountKey, at: Date): Promise<void>;
  /** Returns the companies of existing and deleted accounts; root accounts are left out. */
  ownersOf(clientIds: readonly string[]): Promise<ReadonlyMap<string, CompanyId>>;
  /** Whether the id belongs or once belonged to an account. */
  isUsed(clientId: ClientId): Promise<boolean>;
  /**
   * Locks the root accounts that may grant everything, oldest first: they hold the role `root`, or both permissions of
   * `ROOT_MEANS`. The lock lasts until the end of the transaction: two callers cannot each end the other's last root
   * account.
   */
  lockRoots(): Promise<ClientId[]>;
  /** The credentials of the enabled ones among the same accounts, account by account. The accounts are locked, too. */
  credentialsOfRoots(): Promise<readonly (readonly WayIn[])[]>;
}
