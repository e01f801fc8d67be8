import type { LastUse, UseStore } from '../credentials/use-store.ts';
import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts';
import type { RecordedRefusals } from './refusal.ts';
import type { RefusalFilter, RefusalStore } from './refusal-store.ts';

/** The uses and the refusals of accounts, for people who want to know why a client does not work. */
export interface Activity {
  /**
   * Reads the last use of each credential of an account, and the refusals of the account, latest first.
   *
   * @param id the id of the account, or its slug
   * @throws DomainError `not_found`
   */
  of(
    company: CompanyId | undefined,
    id: string,
  ): Promise<{ readonly uses: readonly LastUse[]; readonly refusals: readonly RecordedRefusals[] }>;
  /** Lists the refusals of accounts of a company, or all refusals; latest first. */
  listRefusals(filter: Omit<RefusalFilter, 'account'>, page: PageRequest): Promise<Page<RecordedRefusals>>;
}

/** A page that holds all refusals of an account: each reason has only a few rows. */
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
