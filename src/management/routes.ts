import type { Activity } from '../domain/activity/activity.ts';
import type { DiagnoseAssertion } from '../domain/assertions/diagnose-assertion.ts';
import type { AuditReader } from '../domain/audit/audit-event.ts';
import type { Companies } from '../domain/companies/companies.ts';
import type { Credentials } from '../domain/credentials/credentials.ts';
import type { Groups } from '../domain/groups/groups.ts';
import type { ResourceServers } from '../domain/resource-servers/resource-servers.ts';
import type { Roles } from '../domain/roles/roles.ts';
import type { ServiceAccounts } from '../domain/service-accounts/service-accounts.ts';
import { getActivity, refusalRoutes } from './activity/activity-routes.ts';
import { diagnoseAssertion } from './activity/post-diagnose-assertion.ts';
import { auditEventRoutes } from './audit-events/audit-event-routes.ts';
import { companyRoutes } from './companies/company-routes.ts';
import { credentialRoutes, rotateSelf } from './credentials/credential-routes.ts';
import { listCredentials } from './credentials/list-credentials.ts';
import { testExternalToken } from './credentials/post-test-token.ts';
import { groupRoutes } from './groups/group-routes.ts';
import { miaRoutes } from './mia/mia-routes.ts';
import { openApiRoutes } from './openapi.ts';
import { resourceServerRoutes } from './resource-servers/resource-server-routes.ts';
import { roleRoutes } from './roles/role-routes.ts';
import type { RootVeil } from './root-veil.ts';
import type { Route } from './route.ts';
import { getSelf } from './self.ts';
import { COMPANY_ACCOUNTS, ROOT_ACCOUNTS } from './service-accounts/account-collection.ts';
import type { ManageSigningKeys } from '../domain/signing-keys/manage-signing-keys.ts';
import type { TryExternalToken } from '../domain/federation/try-external-token.ts';
import type { TrustedIssuers } from '../domain/federation/trusted-issuers.ts';
import type { Impersonate } from '../domain/tokens/impersonate.ts';
import type { TokenSettings } from '../domain/tokens/plan-token.ts';
import { accountGrants } from './service-accounts/account-grants.ts';
import { changeServiceAccount } from './service-accounts/patch-service-account.ts';
import { getEffectivePermissions } from './service-accounts/get-effective-permissions.ts';
import { getServiceAccount } from './service-accounts/get-service-account.ts';
import { listServiceAccounts } from './service-accounts/list-service-accounts.ts';
import { impersonateServiceAccount } from './service-accounts/post-impersonate.ts';
import { registerServiceAccount } from './service-accounts/post-service-account.ts';
import { signingKeyRoutes } from './signing-keys/signing-key-routes.ts';
import { trustedIssuerRoutes } from './trusted-issuers/trusted-issuer-routes.ts';
import { removeServiceAccount } from './service-accounts/delete-service-account.ts';
import { getVersion } from './version.ts';

/** All operations of the management API. */
export function managementRoutes({
  tokens,
  companies,
  serviceAccounts,
  credentials,
  resourceServers,
  trustedIssuers,
  roles,
  groups,
  signingKeys,
  activity,
  diagnose,
  impersonate,
  tryToken,
  auditEvents,
  rootVeil,
}: {
  tokens: TokenSettings;
  companies: Companies;
  serviceAccounts: ServiceAccounts;
  credentials: Credentials;
  resourceServers: ResourceServers;
  trustedIssuers: TrustedIssuers;
  roles: Roles;
  groups: Groups;
  signingKeys: ManageSigningKeys;
  activity: Activity;
  diagnose: DiagnoseAssertion;
  impersonate: Impersonate;
  tryToken: TryExternalToken;
  auditEvents: AuditReader;
  rootVeil: RootVeil;
}): Route[] {
  const routes = [
    ...companyRoutes(companies, tokens.issuer),
    ...[ROOT_ACCOUNTS, COMPANY_ACCOUNTS].flatMap((collection) => [
      registerServiceAccount(collection, serviceAccounts, tokens.issuer),
      listServiceAccounts(collection, serviceAccounts),
      getServiceAccount(collection, serviceAccounts),
      changeServiceAccount(collection, serviceAccounts),
      removeServiceAccount(collection, serviceAccounts),
      getEffectivePermissions(collection, serviceAccounts, tokens),
      getActivity(collection, activity),
      diagnoseAssertion(collection, diagnose),
      testExternalToken(collection, tryToken),
      impersonateServiceAccount(collection, impersonate),
      ...credentialRoutes(collection, credentials, tokens.issuer),
      ...accountGrants(collection, serviceAccounts),
    ]),
    ...listCredentials(credentials),
    ...resourceServerRoutes(resourceServers),
    ...trustedIssuerRoutes(trustedIssuers),
    ...roleRoutes(roles),
    ...signingKeyRoutes(signingKeys),
    ...groupRoutes(groups),
    ...miaRoutes({ companies, serviceAccounts, groups }),
    getSelf(serviceAccounts),
    rotateSelf(credentials),
    ...refusalRoutes(activity),
    ...auditEventRoutes(auditEvents, rootVeil),
    getVersion(),
  ];
  return [...routes, ...openApiRoutes(tokens.issuer, routes)];
}
