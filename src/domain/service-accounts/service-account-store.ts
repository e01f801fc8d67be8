import type { Limits, Used } from '../companies/company-limits.ts';
import type { Credential } from '../credentials/credential.ts';
import type { ClientId, CompanyId, GroupId, RoleKey } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { StoredGrant } from '../permissions/grant-store.ts';
import type { State } from '../state.ts';
import type { AccountKey, AccountSnapshot, AccountSummary, ServiceAccount } from './service-account.ts';

/** Which accounts are wanted; what is undefined does not matter. */
export interface ServiceAccountFilter {
  readonly state?: State | undefined;
  readonly clientId?: string | undefined;
  readonly slug?: string | undefined;
  /** One that has been granted to it, by its name. */
  readonly permission?: string | undefined;
  readonly role?: string | undefined;
  /** That has not been used since; never used is before everything. */
  readonly lastUsedBefore?: Date | undefined;
  /** That has an enabled credential which expires before. */
  readonly expiringBefore?: Date | undefined;
  /** Prefix of the name or the slug, whatever its case. */
  readonly search?: string | undefined;
}

/** Accounts of which one may have too much: the members of a group, some of a company, or who has a role. */
export type EffectiveHolders =
  | { readonly company: CompanyId; readonly groupId: GroupId }
  | { readonly company: CompanyId; readonly clientIds: readonly ClientId[] }
  | { readonly roleKey: RoleKey };

export interface ServiceAccountStore {
  /**
   * Adds an account with what belongs to it, and counts it.
   *
   * @param counting the limits of its company, and the time before which credentials have expired; undefined: a root account
   * @returns how many there are now of what may be more than its limit; undefined, and nothing is changed, when the slug or
   *   the id is taken, or the slug is the id of another account
   */
  insert(
    account: ServiceAccount,
    belongings: { readonly credentials: readonly Credential[]; readonly grants: readonly StoredGrant[] },
    counting: { readonly limits: Limits; readonly now: Date } | undefined,
  ): Promise<Used | undefined>;
  /** One account, whoever it belongs to, in one statement: for finding out who somebody is. */
  findSnapshot(clientId: ClientId): Promise<AccountSnapshot | undefined>;
  /** As `findSnapshot`, and whether the access token with this `jti` was revoked by itself. */
  findCaller(
    clientId: ClientId,
    jti: string,
  ): Promise<(AccountSnapshot & { readonly tokenRevoked: boolean }) | undefined>;
  /**
   * One account of a company, or one of the root accounts, by its id or else its slug.
   *
   * @param company undefined: the root accounts
   */
  find(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined>;
  /** Those of a company that have one of these ids or slugs; nobody deletes them until the end of the transaction. */
  identify(company: CompanyId, idsOrSlugs: readonly string[]): Promise<Pick<ServiceAccount, 'clientId' | 'slug'>[]>;
  /**
   * Which of these ids there are, of a company's accounts, or of any, in alphabetical order; nobody deletes them until the
   * end of the transaction.
   */
  known(company: CompanyId | undefined, clientIds: readonly ClientId[]): Promise<ClientId[]>;
  /** The names of the accounts of a company that have one of these ids. */
  named(
    company: CompanyId,
    clientIds: readonly ClientId[],
  ): Promise<Pick<ServiceAccount, 'clientId' | 'slug' | 'name'>[]>;
  /** As `find`, and nobody else changes or deletes it until the end of the transaction. */
  lock(company: CompanyId | undefined, idOrSlug: string): Promise<AccountSnapshot | undefined>;
  /** How many permissions the account has that has the most of these, each way to one counted. */
  mostEffective(of: EffectiveHolders): Promise<number>;
  /** Newest first. @param company `*`: of root and of every company */
  list(
    company: CompanyId | '*' | undefined,
    filter: ServiceAccountFilter,
    page: PageRequest,
    now: Date,
  ): Promise<Page<AccountSummary>>;
  update(account: ServiceAccount): Promise<void>;
  /** Counts a change of accounts by what belongs to others, such as a group that they join. */
  touch(company: CompanyId, clientIds: readonly ClientId[], at: Date): Promise<void>;
  /** Deletes it and everything that belongs to it; its id is never given out again. */
  delete(account: AccountKey, at: Date): Promise<void>;
  /** The companies of those of these accounts that belong to one, or did before they were deleted. */
  ownersOf(clientIds: readonly string[]): Promise<ReadonlyMap<string, CompanyId>>;
  /** Whether the id belongs or once belonged to an account. */
  isUsed(clientId: ClientId): Promise<boolean>;
  /**
   * The root accounts that can put everything right: they hold the role `root`, or both permissions of `ROOT_MEANS`.
   * Oldest first; locked until the end of the transaction, so that two callers cannot each take away the other's last
   * root account.
   */
  lockRoots(): Promise<ClientId[]>;
  /** The same accounts as far as they are enabled, with their credentials; locked as well. */
  enabledRoots(): Promise<{ readonly clientId: ClientId; readonly credentials: readonly Credential[] }[]>;
}
