import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { RecordedRefusals, Refusals } from './refusal.ts';

/** A filter of refusals; undefined members do not restrict it. */
export interface RefusalFilter {
  /** The refusals of accounts of this company. */
  readonly company?: CompanyId | undefined;
  /** The refusals of this account. */
  readonly account?: AccountKey | undefined;
  /** The client id that the refused requests name. */
  readonly clientId?: string | undefined;
  /** The id of a request that is among the recent requests of a row. */
  readonly requestId?: string | undefined;
}

export interface RefusalStore {
  /**
   * Adds refusals to the rows. For each reason, an account has rows for some sources and one row for all others. For
   * unknown ids, each source has rows for some ids and one for all others; the oldest of these rows are deleted when
   * there are too many.
   */
  record(refusals: readonly Refusals[]): Promise<void>;
  /** Lists refusals, latest first. */
  list(filter: RefusalFilter, page: PageRequest): Promise<Page<RecordedRefusals>>;
  /** Deletes some rows without refusals since a time, and quiet rows that take up room. @returns how many */
  deleteBefore(before: Date): Promise<number>;
}
