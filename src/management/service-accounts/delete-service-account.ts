import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { LAST_ROOT } from './account-collection.ts';

export function removeServiceAccount(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
): Route {
  return defineRoute({
    method: 'DELETE',
    path: `${path}/{clientId}`,
    operationId: operationId('remove'),
    summary: `Delete a ${one} and everything that belongs to it`,
    tag,
    permission: 'writ.serviceaccounts.manage',
    conditional: true,
    replies: { 204: { description: 'The account has been deleted' } },
    refusals: { 409: LAST_ROOT },
    async handle({ caller, company, expected, param }) {
      await serviceAccounts.delete(caller, company, param('clientId'), expected);
      return { status: 204 };
    },
  });
}
