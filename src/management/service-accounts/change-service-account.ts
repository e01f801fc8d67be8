import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import { type AccountCollection, LAST_ROOT } from './account-collection.ts';
import { seconds } from './duration.ts';
import { answerServiceAccount } from './present-service-account.ts';
import { CHANGED_SERVICE_ACCOUNT, type ChangedServiceAccountBody, SERVICE_ACCOUNT } from './service-account-schema.ts';

export function changeServiceAccount(
  { path, tag, operationId, one }: AccountCollection,
  serviceAccounts: ServiceAccounts,
  servers: ResourceServers,
): Route {
  return defineRoute<ChangedServiceAccountBody>({
    method: 'PATCH',
    path: `${path}/{clientId}`,
    operationId: operationId('change'),
    summary: `Change a ${one}`,
    tag,
    permission: 'writ.serviceaccounts.manage',
    body: CHANGED_SERVICE_ACCOUNT,
    conditional: true,
    revisioned: true,
    replies: { 200: { description: 'The account as it is now', schema: SERVICE_ACCOUNT } },
    refusals: { 409: LAST_ROOT },
    async handle({ caller, company, expected, body, param }) {
      const { tokenTtl, ...changes } = body;
      const snapshot = await serviceAccounts.change(caller, company, param('clientId'), expected, {
        ...changes,
        tokenTtl:
          typeof tokenTtl === 'string' || typeof tokenTtl === 'number' ? seconds(tokenTtl, '/tokenTtl') : tokenTtl,
      });
      return answerServiceAccount(snapshot, servers);
    },
  });
}
