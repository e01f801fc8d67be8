import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import { presentServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

export function listServiceAccounts(serviceAccounts: ServiceAccounts, servers: ResourceServers): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/service-accounts',
    operationId: 'listServiceAccounts',
    summary: 'List the root service accounts, newest first',
    permission: 'writ.serviceaccounts.view',
    replies: { 200: { description: 'The accounts', schema: { type: 'array', items: SERVICE_ACCOUNT } } },
    async handle() {
      const snapshots = await serviceAccounts.list();
      return { status: 200, body: snapshots.map((snapshot) => presentServiceAccount(snapshot, servers)) };
    },
  });
}
