import { createChange } from './change-service-account.ts';
import { createRegister, type Registration } from './register-service-account.ts';
import { createDelete } from './delete-account.ts';
import { noSuchAccount, type ServiceAccounts, type ServiceAccountTools } from './service-accounts.ts';

export function createServiceAccounts(tools: ServiceAccountTools, registration: Registration): ServiceAccounts {
  const { storage } = tools;
  return {
    register: createRegister(tools, registration),
    change: createChange(tools),
    delete: createDelete(tools),
    get: async (company, id) => (await storage.read.serviceAccounts.find(company, id)) ?? noSuchAccount(),
    list: (company, filter, page, now) => storage.read.serviceAccounts.list(company, filter, page, now),
  };
}
