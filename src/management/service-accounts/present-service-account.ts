import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import type { ResourceServers } from '../../domain/permissions/resource-server.ts';
import {
  type AccountSnapshot,
  type AccountSummary,
  FIRST_AUDIENCE,
  summaryOf,
} from '../../domain/service-accounts/service-account.ts';
import type { RegisteredServiceAccount } from '../../domain/service-accounts/service-accounts.ts';
import type { Answer } from '../route.ts';
import type {
  IssuedCredentialBody,
  RegisteredServiceAccountBody,
  ServiceAccountBody,
} from './service-account-schema.ts';

/** Shows an account; every member is picked by name, so that nothing leaves by accident. */
export function presentServiceAccount(
  { account, roles, permissions, credentialCount }: AccountSummary,
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
    roles: roles.toSorted(),
    // A set: in one order, whatever the database sorts by.
    permissions: permissions.toSorted(),
    audience: servers.get(audience)?.identifier ?? audience,
    tokenTtl: account.tokenTtl ?? null,
    metadata: account.metadata,
    credentialCount,
    createdAt: account.createdAt.toISOString(),
    createdBy: account.createdBy ?? null,
    updatedAt: account.updatedAt.toISOString(),
  };
}

/** Answers with one account as it is. */
export function answerServiceAccount(snapshot: AccountSnapshot, servers: ResourceServers): Answer {
  const body = presentServiceAccount(summaryOf(snapshot), servers);
  return { status: 200, body, revision: snapshot.account.revision };
}

/** Shows an account that has just been registered, with its secrets. */
export function presentRegisteredServiceAccount(
  registered: RegisteredServiceAccount,
  servers: ResourceServers,
): RegisteredServiceAccountBody {
  const clientSecret = registered.issued.find((issued) => issued.clientSecret !== undefined)?.clientSecret;
  return {
    ...presentServiceAccount(summaryOf(registered), servers),
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
