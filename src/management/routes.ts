import type { ResourceServers } from '../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../domain/service-accounts/service-accounts.ts';
import { getServiceAccount } from './service-accounts/get-service-account.ts';
import { listServiceAccounts } from './service-accounts/list-service-accounts.ts';
import { registerServiceAccount } from './service-accounts/register-service-account.ts';
import { removeServiceAccount } from './service-accounts/remove-service-account.ts';
import { openApiRoute } from './openapi.ts';
import type { Route } from './route.ts';

/** Every operation of the management API. */
export function managementRoutes({
  issuer,
  serviceAccounts,
  resourceServers,
}: {
  issuer: string;
  serviceAccounts: ServiceAccounts;
  resourceServers: ResourceServers;
}): Route[] {
  const routes = [
    registerServiceAccount(serviceAccounts, resourceServers),
    listServiceAccounts(serviceAccounts, resourceServers),
    getServiceAccount(serviceAccounts, resourceServers),
    removeServiceAccount(serviceAccounts),
  ];
  return [...routes, openApiRoute(issuer, routes)];
}
