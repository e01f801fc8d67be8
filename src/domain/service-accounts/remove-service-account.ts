import { assertRevision } from '../revision.ts';
import { keepingARoot } from './account-rules.ts';
import { originOf } from './caller.ts';
import { noSuchAccount, type ServiceAccounts, type ServiceAccountTools } from './service-accounts.ts';

export function createRemove({ storage, clock }: ServiceAccountTools): ServiceAccounts['remove'] {
  return (caller, company, id, expected) =>
    storage.write(originOf(caller), async (stores) => {
      const snapshot = (await stores.serviceAccounts.find(company, id)) ?? noSuchAccount();
      const { clientId } = snapshot.account;
      await keepingARoot(stores, snapshot.account, async (): Promise<void> => {
        const { account } = (await stores.serviceAccounts.lock(snapshot.account)) ?? noSuchAccount();
        assertRevision(account.revision, expected);
        await stores.serviceAccounts.delete(account, clock());
      });
      const { name, slug } = snapshot.account;
      return {
        result: undefined,
        audit: [
          {
            action: 'service_account.deleted',
            target: clientId,
            company,
            changes: [{ kind: 'account', clientId }],
            details: { name, slug },
          },
        ],
      };
    });
}
