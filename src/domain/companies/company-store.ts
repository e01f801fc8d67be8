import type { GrantableChanges } from '../permissions/grantable.ts';
import type { Counted, Limits, Used } from './company-limits.ts';
import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { State } from '../state.ts';
import type { ServiceAccount } from '../service-accounts/service-account.ts';
import type { Company } from './company.ts';

/** A company without what is kept beside it. */
export type KeptCompany = Omit<Company, 'grantable'>;

/** How much belongs to a company, and which of its accounts are in use. */
export interface CompanyContents {
  readonly counts: Readonly<Record<Counted, number>>;
  /** How many accounts have been used since a time, and the last of them. */
  readonly used: number;
  readonly lastUsed: readonly (Pick<ServiceAccount, 'clientId' | 'slug' | 'name'> & { readonly lastUsedAt: Date })[];
}

/** Which companies are wanted; what is undefined does not matter. */
export interface CompanyFilter {
  /** Just this one. */
  readonly companyId?: CompanyId | undefined;
  readonly state?: State | undefined;
  /** Prefix of the id or the name, whatever its case. */
  readonly search?: string | undefined;
}

export interface CompanyStore {
  /** @returns false, and changes nothing, when the id is taken */
  insert(company: Company): Promise<boolean>;
  find(companyId: CompanyId): Promise<Company | undefined>;
  /** Nobody deletes the company until the end of the transaction. */
  keep(companyId: CompanyId): Promise<KeptCompany | undefined>;
  /**
   * Counts what this transaction has added; other transactions that add to the company wait until it ends.
   *
   * @param added how many at most
   * @param limits of the company, and of the server where it has none
   * @param now before which credentials have expired
   * @returns how many there are of what may be more than its limit
   */
  countAdded(companyId: CompanyId, added: Used, limits: Limits, now: Date): Promise<Used>;
  /** As `find`, and nobody else changes or deletes it, or gives it an account, until the end of the transaction. */
  lock(companyId: CompanyId): Promise<Company | undefined>;
  /** Newest first. */
  list(filter: CompanyFilter, page: PageRequest): Promise<Page<Company>>;
  /** All but what is grantable in it. */
  update(company: Company): Promise<void>;
  changeGrantable(companyId: CompanyId, changes: Pick<GrantableChanges, 'added' | 'removed'>): Promise<void>;
  /**
   * Counts everything that belongs to it.
   *
   * @param since accounts that have been used since are named
   * @param limit how many of them at most, those that were used last first
   */
  contents(companyId: CompanyId, since: Date, limit: number): Promise<CompanyContents>;
  hasAccounts(companyId: CompanyId): Promise<boolean>;
  /** Deletes it with its accounts, and says which; none of their ids is ever given out again. */
  delete(companyId: CompanyId, at: Date): Promise<Pick<ServiceAccount, 'clientId' | 'name' | 'slug'>[]>;
  /** Whether the id once belonged to something that is gone. */
  isRetired(companyId: CompanyId): Promise<boolean>;
}
