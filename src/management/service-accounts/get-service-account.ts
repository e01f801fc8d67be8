import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import { presentServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

export function getServiceAccount(serviceAccounts: ServiceAccounts, servers: ResourceServers): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/service-accounts/{clientId}',
    operationId: 'getServiceAccount',
    summary: 'Read a root service account',
    permission: 'writ.serviceaccounts.view',
    replies: { 200: { description: 'The account', schema: SERVICE_ACCOUNT } },
    async handle({ param }) {
      return { status: 200, body: presentServiceAccount(await serviceAccounts.get(param('clientId')), servers) };
    },
  });
}
