import type { GrantableChanges } from '../permissions/grantable.ts';
import type { Counted, Limits, Used } from './company-limits.ts';
import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { State } from '../state.ts';
import type { ServiceAccount } from '../service-accounts/service-account.ts';
import type { Company } from './company.ts';

/** A company without its grantable permissions, which are kept in another table. */
export type KeptCompany = Omit<Company, 'grantable'>;

/** The number of things that belong to a company, and the accounts that were used lately. */
export interface CompanyContents {
  readonly counts: Readonly<Record<Counted, number>>;
  /** The number of accounts that were used lately. */
  readonly used: number;
  /** The most recently used accounts, latest use first. */
  readonly lastUsed: readonly (Pick<ServiceAccount, 'clientId' | 'slug' | 'name'> & { readonly lastUsedAt: Date })[];
}

/** A filter of companies; undefined members do not restrict it. */
export interface CompanyFilter {
  readonly companyId?: CompanyId | undefined;
  readonly state?: State | undefined;
  /** A prefix of the id or the name; case does not matter. */
  readonly search?: string | undefined;
}

export interface CompanyStore {
  /** @returns false, and changes nothing, when the id is taken */
  insert(company: Company): Promise<boolean>;
  find(companyId: CompanyId): Promise<Company | undefined>;
  /** Finds a company. Nobody changes or deletes it until the end of the transaction. */
  keep(companyId: CompanyId): Promise<KeptCompany | undefined>;
  /**
   * Counts the things that this transaction has added. Other transactions that add to the company wait until this
   * transaction ends.
   *
   * @param added the most that were added of each thing
   * @param limits the limits that hold for the company
   * @param now the time before which expired credentials do not count
   * @returns the numbers that may be more than their limits
   */
  countAdded(companyId: CompanyId, added: Used, limits: Limits, now: Date): Promise<Used>;
  /** As `find`; nobody else changes or deletes the company, or adds to it, until the end of the transaction. */
  lock(companyId: CompanyId): Promise<Company | undefined>;
  /** Lists companies, newest first. */
  list(filter: CompanyFilter, page: PageRequest): Promise<Page<Company>>;
  /** Writes every member except `grantable`. */
  update(company: Company): Promise<void>;
  changeGrantable(companyId: CompanyId, changes: Pick<GrantableChanges, 'added' | 'removed'>): Promise<void>;
  /**
   * Counts everything that belongs to a company.
   *
   * @param since the time since which accounts count as used lately
   * @param limit the most accounts in `lastUsed`
   */
  contents(companyId: CompanyId, since: Date, limit: number): Promise<CompanyContents>;
  hasAccounts(companyId: CompanyId): Promise<boolean>;
  /** Deletes a company with its accounts. Their ids are never given out again. @returns the deleted accounts */
  delete(companyId: CompanyId, at: Date): Promise<Pick<ServiceAccount, 'clientId' | 'name' | 'slug'>[]>;
  /** Whether the id once belonged to a company or an account that was deleted. */
  isRetired(companyId: CompanyId): Promise<boolean>;
}
