import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';

export function removeServiceAccount(serviceAccounts: ServiceAccounts): Route {
  return defineRoute({
    method: 'DELETE',
    path: '/api/service-accounts/{clientId}',
    operationId: 'removeServiceAccount',
    summary: 'Delete a root service account with everything it has',
    permission: 'writ.serviceaccounts.manage',
    replies: { 204: { description: 'It is gone' } },
    async handle({ caller, param }) {
      await serviceAccounts.remove(caller, param('clientId'));
      return { status: 204 };
    },
  });
}
