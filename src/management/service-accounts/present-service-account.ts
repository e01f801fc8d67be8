import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import { kindOf } from '../../domain/credentials/kinds/kinds.ts';
import { type AccountSnapshot, type AccountSummary, summaryOf } from '../../domain/service-accounts/service-account.ts';
import type { RegisteredServiceAccount } from '../../domain/service-accounts/service-accounts.ts';
import type { NewCredentialBody } from '../credentials/credential-schema.ts';
import { presentIssuedCredential } from '../credentials/present-credential.ts';
import { workflowFor } from '../credentials/workflow.ts';
import { miaAccountMembers, miaSecretMembers } from '../mia/mia-members.ts';
import type { Answer } from '../route.ts';
import type { RegisteredServiceAccountBody, ServiceAccountBody } from './service-account-schema.ts';

/** Shows an account. Every member is picked by name, so that no other data gets into an answer by accident. */
export function presentServiceAccount(summary: AccountSummary): ServiceAccountBody {
  const { account, roles, permissions, groups, audience, lastUsedAt, credentialCount, nextExpiryAt } = summary;
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
    senderConstraint: account.senderConstraint,
    metadata: account.metadata,
    credentialCount,
    nextExpiryAt: nextExpiryAt?.toISOString() ?? null,
    createdAt: account.createdAt.toISOString(),
    createdBy: account.createdBy ?? null,
    updatedAt: account.updatedAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    ...miaAccountMembers(summary),
  };
}

/** Answers with one account and its revision. */
export function answerServiceAccount(snapshot: AccountSnapshot, now: Date): Answer {
  const body = presentServiceAccount(summaryOf(snapshot, now));
  return { status: 200, body, revision: snapshot.account.revision };
}

/**
 * Shows an account that has just been registered, with its secrets.
 *
 * @param sent the requests for its credentials, in their order; undefined: the credentials come from elsewhere
 * @param issuer the issuer of this server
 */
export function presentRegisteredServiceAccount(
  registered: RegisteredServiceAccount,
  sent: readonly NewCredentialBody[] | undefined,
  issuer: string,
): RegisteredServiceAccountBody {
  const { clientId } = registered.account;
  const first = (alias: 'apiKey' | undefined): IssuedCredential | undefined =>
    registered.issued.find((one) => one.secret !== undefined && kindOf(one.credential).secretAlias === alias);
  const secret = first(undefined);
  const apiKey = first('apiKey')?.secret;
  return {
    ...presentServiceAccount(summaryOf(registered, registered.account.createdAt)),
    credentials: registered.issued.map((one, index) =>
      presentIssuedCredential(one, workflowFor(sent?.[index], one, { issuer, clientId })),
    ),
    clientIdIssuedAt: Math.floor(registered.account.createdAt.getTime() / 1000),
    ...miaSecretMembers(secret),
    // An API key authenticates no client, so it has a member of its own.
    ...(apiKey !== undefined && { apiKey }),
  };
}
