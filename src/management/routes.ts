import type { AuditReader } from '../domain/audit/audit-event.ts';
import type { Companies } from '../domain/companies/companies.ts';
import type { ResourceServers } from '../domain/permissions/resource-server.ts';
import type { ServiceAccounts } from '../domain/service-accounts/service-accounts.ts';
import { auditEventRoutes } from './audit-events/audit-event-routes.ts';
import { companyRoutes } from './companies/company-routes.ts';
import { openApiRoute } from './openapi.ts';
import type { Route } from './route.ts';
import { getSelf } from './self.ts';
import { COMPANY_ACCOUNTS, ROOT_ACCOUNTS } from './service-accounts/account-collection.ts';
import { accountPermissions } from './service-accounts/account-permissions.ts';
import { changeServiceAccount } from './service-accounts/change-service-account.ts';
import { getServiceAccount } from './service-accounts/get-service-account.ts';
import { listServiceAccounts } from './service-accounts/list-service-accounts.ts';
import { registerServiceAccount } from './service-accounts/register-service-account.ts';
import { removeServiceAccount } from './service-accounts/remove-service-account.ts';
import { getVersion } from './version.ts';

/** Every operation of the management API. */
export function managementRoutes({
  issuer,
  companies,
  serviceAccounts,
  resourceServers,
  auditEvents,
}: {
  issuer: string;
  companies: Companies;
  serviceAccounts: ServiceAccounts;
  resourceServers: ResourceServers;
  auditEvents: AuditReader;
}): Route[] {
  const routes = [
    ...companyRoutes(companies),
    ...[ROOT_ACCOUNTS, COMPANY_ACCOUNTS].flatMap((collection) => [
      registerServiceAccount(collection, serviceAccounts, resourceServers),
      listServiceAccounts(collection, serviceAccounts, resourceServers),
      getServiceAccount(collection, serviceAccounts, resourceServers),
      changeServiceAccount(collection, serviceAccounts, resourceServers),
      removeServiceAccount(collection, serviceAccounts),
      ...accountPermissions(collection, serviceAccounts),
    ]),
    getSelf(serviceAccounts, resourceServers),
    ...auditEventRoutes(auditEvents),
    getVersion(),
  ];
  return [...routes, openApiRoute(issuer, routes)];
}
