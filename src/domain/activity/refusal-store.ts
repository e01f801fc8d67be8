import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { RecordedRefusals, Refusals } from './refusal.ts';

/** Which refusals are wanted; what is undefined does not matter. */
export interface RefusalFilter {
  /** Of accounts of one company only. */
  readonly company?: CompanyId | undefined;
  /** Of one account only. */
  readonly account?: AccountKey | undefined;
  /** The client that they name. */
  readonly clientId?: string | undefined;
  /** One of the requests that are known one by one. */
  readonly requestId?: string | undefined;
}

export interface RefusalStore {
  /**
   * Adds refusals to what is known, however many there are at once. A reason of an account has rows for some
   * sources, and one for all others; what names nobody's account has rows for some ids a source, and there are not many
   * of those altogether: the ones that were quiet for longest go.
   */
  record(refusals: readonly Refusals[]): Promise<void>;
  /** Latest first. */
  list(filter: RefusalFilter, page: PageRequest): Promise<Page<RecordedRefusals>>;
  /** Forgets those that have not happened since, and what takes the place of newer ones. @returns how many */
  forget(before: Date): Promise<number>;
}
