import type { LastUse, UseStore } from '../credentials/use-store.ts';
import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts';
import type { RecordedRefusals } from './refusal.ts';
import type { RefusalFilter, RefusalStore } from './refusal-store.ts';

/** What clients got and what they were refused, for who wants to know why one does not work. */
export interface Activity {
  /**
   * The last use of every credential of an account, and the refusals of it, latest first.
   *
   * @param id of the account, or its slug
   * @throws DomainError `not_found`
   */
  of(
    company: CompanyId | undefined,
    id: string,
  ): Promise<{ readonly uses: readonly LastUse[]; readonly refusals: readonly RecordedRefusals[] }>;
  /** Refusals of accounts of a company, or of everybody, latest first. */
  listRefusals(filter: Omit<RefusalFilter, 'account'>, page: PageRequest): Promise<Page<RecordedRefusals>>;
}

/** More than there are of one account: for each reason there are just so many. */
const ALL: PageRequest = { limit: 1000, after: undefined };

export function createActivity({
  serviceAccounts,
  uses,
  refusals,
}: {
  readonly serviceAccounts: Pick<ServiceAccounts, 'get'>;
  readonly uses: Pick<UseStore, 'lastOf'>;
  readonly refusals: Pick<RefusalStore, 'list'>;
}): Activity {
  return {
    async of(company, id) {
      const { account } = await serviceAccounts.get(company, id);
      const [lastUses, { items }] = await Promise.all([uses.lastOf(account.clientId), refusals.list({ account }, ALL)]);
      return { uses: lastUses, refusals: items };
    },
    listRefusals: (filter, page) => refusals.list(filter, page),
  };
}
