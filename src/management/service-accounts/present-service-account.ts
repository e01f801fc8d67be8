import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import type { RegisteredServiceAccount } from '../../domain/service-accounts/service-accounts.ts';
import type { RegisteredServiceAccountBody, ServiceAccountBody } from './service-account-schema.ts';

/** Shows an account; every member is picked by name, so that nothing leaves by accident. */
export function presentServiceAccount(
  { account, grants, credentials }: AccountSnapshot,
  servers: ResourceServers,
): ServiceAccountBody {
  return {
    clientId: account.clientId,
    slug: account.slug,
    name: account.name,
    roles: grants.flatMap((grant) => (grant.kind === 'role' ? [grant.roleId] : [])),
    permissions: grants.flatMap((grant) => (grant.kind === 'permission' ? [grant.permission] : [])),
    audience: servers.get(account.audience)?.identifier ?? account.audience,
    credentialCount: credentials.length,
    createdAt: account.createdAt.toISOString(),
    createdBy: account.createdBy ?? null,
    updatedAt: account.updatedAt.toISOString(),
  };
}

/** Shows an account that has just been registered, with its secret. */
export function presentRegisteredServiceAccount(
  registered: RegisteredServiceAccount,
  servers: ResourceServers,
): RegisteredServiceAccountBody {
  const { credential, clientSecret } = registered.issued;
  return {
    ...presentServiceAccount(registered, servers),
    credentials: [
      {
        credentialId: credential.credentialId,
        type: credential.type,
        hint: credential.hint,
        createdAt: credential.createdAt.toISOString(),
        clientSecret,
      },
    ],
    clientSecret,
    clientIdIssuedAt: Math.floor(registered.account.createdAt.getTime() / 1000),
    clientSecretExpiresAt: 0,
  };
}
