import { STATUSES } from '../announcement.ts';
import { assertRevision } from '../revision.ts';
import { keepingARoot } from './last-root.ts';
import { originOf } from './caller.ts';
import { noSuchAccount, type ServiceAccounts, type ServiceAccountTools } from './service-accounts.ts';

export function createDelete({ storage, clock }: ServiceAccountTools): ServiceAccounts['delete'] {
  return (caller, company, id, expected) =>
    storage.write(originOf(caller), async (stores) => {
      const { clientId, name, slug } = await keepingARoot(stores, company, clock, async () => {
        const { account } = (await stores.serviceAccounts.lock(company, id)) ?? noSuchAccount();
        assertRevision(account.revision, expected);
        await stores.serviceAccounts.delete(account, clock());
        await stores.statuses.settle([account.clientId], clock());
        return account;
      });
      return {
        result: undefined,
        audit: [
          {
            action: 'service_account.deleted',
            target: clientId,
            company,
            announces: [{ kind: 'account', clientId }, ...STATUSES],
            details: { name, slug },
          },
        ],
      };
    });
}
