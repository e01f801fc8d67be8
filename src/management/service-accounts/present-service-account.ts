import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import { type AccountSnapshot, FIRST_AUDIENCE } from '../../domain/service-accounts/service-account.ts';
import type { RegisteredServiceAccount } from '../../domain/service-accounts/service-accounts.ts';
import type {
  IssuedCredentialBody,
  RegisteredServiceAccountBody,
  ServiceAccountBody,
} from './service-account-schema.ts';

/** Shows an account; every member is picked by name, so that nothing leaves by accident. */
export function presentServiceAccount(
  { account, grants, credentials }: AccountSnapshot,
  servers: ResourceServers,
): ServiceAccountBody {
  const { audience = FIRST_AUDIENCE } = account;
  return {
    clientId: account.clientId,
    slug: account.slug,
    name: account.name,
    description: account.description ?? null,
    company: account.company ?? null,
    state: account.state,
    roles: grants.flatMap((grant) => (grant.kind === 'role' ? [grant.roleId] : [])),
    // A set: in one order, whatever the database sorts by.
    permissions: grants.flatMap((grant) => (grant.kind === 'permission' ? [grant.permission] : [])).toSorted(),
    audience: servers.get(audience)?.identifier ?? audience,
    tokenTtl: account.tokenTtl ?? null,
    metadata: account.metadata,
    credentialCount: credentials.length,
    createdAt: account.createdAt.toISOString(),
    createdBy: account.createdBy ?? null,
    updatedAt: account.updatedAt.toISOString(),
  };
}

/** Shows an account that has just been registered, with its secrets. */
export function presentRegisteredServiceAccount(
  registered: RegisteredServiceAccount,
  servers: ResourceServers,
): RegisteredServiceAccountBody {
  const clientSecret = registered.issued.find((issued) => issued.clientSecret !== undefined)?.clientSecret;
  return {
    ...presentServiceAccount(registered, servers),
    credentials: registered.issued.map(presentIssuedCredential),
    clientIdIssuedAt: Math.floor(registered.account.createdAt.getTime() / 1000),
    // As Mia's clients read them.
    ...(clientSecret !== undefined && { clientSecret, clientSecretExpiresAt: 0 }),
  };
}

function presentIssuedCredential({ credential, clientSecret }: IssuedCredential): IssuedCredentialBody {
  return {
    credentialId: credential.credentialId,
    type: credential.type,
    createdAt: credential.createdAt.toISOString(),
    ...(credential.type === 'client_secret' ? { hint: credential.hint } : { kid: credential.kid }),
    ...(clientSecret !== undefined && { clientSecret }),
  };
}
