import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { wantedCredentials } from './wanted-credentials.ts';
import { defineRoute, type Route } from '../route.ts';
import { presentRegisteredServiceAccount } from './present-service-account.ts';
import {
  NEW_SERVICE_ACCOUNT,
  type NewServiceAccountBody,
  REGISTERED_SERVICE_ACCOUNT,
} from './service-account-schema.ts';

export function registerServiceAccount(serviceAccounts: ServiceAccounts, servers: ResourceServers): Route {
  return defineRoute<NewServiceAccountBody>({
    method: 'POST',
    path: '/api/service-accounts',
    operationId: 'registerServiceAccount',
    summary: 'Register a root service account',
    permission: 'writ.serviceaccounts.manage',
    body: NEW_SERVICE_ACCOUNT,
    replies: { 201: { description: 'The account, and once its secret', schema: REGISTERED_SERVICE_ACCOUNT } },
    async handle({ caller, body }) {
      const registered = await serviceAccounts.register(caller, {
        name: body.name,
        slug: body.slug,
        permissions: body.permissions ?? [],
        audience: body.audience,
        credentials: wantedCredentials(body),
      });
      return {
        status: 201,
        body: presentRegisteredServiceAccount(registered, servers),
        created: registered.account.clientId,
      };
    },
  });
}
