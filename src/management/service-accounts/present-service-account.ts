import { type AccountSnapshot, type AccountSummary, summaryOf } from '../../domain/service-accounts/service-account.ts';
import type { RegisteredServiceAccount } from '../../domain/service-accounts/service-accounts.ts';
import { presentIssuedCredential } from '../credentials/present-credential.ts';
import type { Answer } from '../route.ts';
import type { RegisteredServiceAccountBody, ServiceAccountBody } from './service-account-schema.ts';

/** Shows an account; every member is picked by name, so that nothing leaves by accident. */
export function presentServiceAccount({
  account,
  roles,
  permissions,
  groups,
  audience,
  lastUsedAt,
  credentialCount,
  hasSecret,
}: AccountSummary): ServiceAccountBody {
  return {
    clientId: account.clientId,
    slug: account.slug,
    name: account.name,
    description: account.description ?? null,
    company: account.company ?? null,
    state: account.state,
    roles: [...roles],
    permissions: [...permissions],
    groups: [...groups],
    audience,
    tokenTtl: account.tokenTtl ?? null,
    metadata: account.metadata,
    credentialCount,
    createdAt: account.createdAt.toISOString(),
    createdBy: account.createdBy ?? null,
    updatedAt: account.updatedAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    // As Mia's clients read them.
    authMethod: credentialCount === 0 ? null : hasSecret ? 'client_secret_basic' : 'private_key_jwt',
    lastLogin: lastUsedAt?.toISOString() ?? null,
    companyRoles: roles.filter((role) => !role.includes('@')),
  };
}

/** Answers with one account as it is. */
export function answerServiceAccount(snapshot: AccountSnapshot): Answer {
  const body = presentServiceAccount(summaryOf(snapshot));
  return { status: 200, body, revision: snapshot.account.revision };
}

/** Shows an account that has just been registered, with its secrets. */
export function presentRegisteredServiceAccount(registered: RegisteredServiceAccount): RegisteredServiceAccountBody {
  const clientSecret = registered.issued.find((issued) => issued.clientSecret !== undefined)?.clientSecret;
  return {
    ...presentServiceAccount(summaryOf(registered)),
    credentials: registered.issued.map(presentIssuedCredential),
    clientIdIssuedAt: Math.floor(registered.account.createdAt.getTime() / 1000),
    // As Mia's clients read them.
    ...(clientSecret !== undefined && { clientSecret, clientSecretExpiresAt: 0 }),
  };
}
