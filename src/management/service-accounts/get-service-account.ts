import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { answerServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

export function getServiceAccount(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
): Route {
  return defineRoute({
    method: 'GET',
    path: `${path}/{clientId}`,
    operationId: operationId('get'),
    summary: `Read a ${one}, by its id or its slug`,
    tag,
    permission: 'writ.serviceaccounts.view',
    revisioned: true,
    replies: { 200: { description: 'The account', schema: SERVICE_ACCOUNT } },
    async handle({ now, company, param }) {
      const snapshot = await serviceAccounts.get(company, param('clientId'));
      return answerServiceAccount(snapshot, now);
    },
  });
}
