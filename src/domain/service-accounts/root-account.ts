import type { AuditEntry } from '../audit/audit-event.ts';
import { issueClientSecret, type CredentialTools } from '../credentials/issue-client-secret.ts';
import { DomainError } from '../domain-error.ts';
import { isClientId, newClientId, newGrantId, type ClientId } from '../ids.ts';
import type { Stores, Work } from '../storage.ts';

/** The id and the secret of a root account, to be shown once. */
export interface RootCredential {
  readonly clientId: ClientId;
  readonly clientSecret: string;
}

/**
 * Makes the first root account, with the role `root`, unless there is one.
 *
 * @param fixed what the operator fixed of it
 * @returns its id and secret when it was made now
 * @throws DomainError `already_exists` when the fixed id once belonged to another account
 */
export async function bootstrapRoot(
  stores: Stores,
  tools: CredentialTools,
  { now, fixed }: { now: Date; fixed: { clientId: string | undefined; clientSecret: string | undefined } },
): Promise<Work<RootCredential | undefined>> {
  if ((await stores.serviceAccounts.lockRoots()).length > 0) return { result: undefined, audit: [] };

  const clientId =
    fixed.clientId !== undefined && isClientId(fixed.clientId) ? fixed.clientId : newClientId(tools.randomId);
  if (await stores.serviceAccounts.isUsed(clientId)) {
    throw new DomainError('already_exists', `WRIT_BOOTSTRAP_CLIENT_ID: ${clientId} has been used before`);
  }
  const issued = issueClientSecret(tools, now, fixed.clientSecret);
  await stores.serviceAccounts.insert({
    clientId,
    slug: 'root',
    name: 'Root',
    audience: 'management',
    createdAt: now,
    createdBy: undefined,
    updatedAt: now,
  });
  await stores.credentials.insert(clientId, issued.credential);
  await stores.grants.insert(clientId, [{ kind: 'role', roleId: 'root', grantId: newGrantId(tools.randomId) }]);
  const created: AuditEntry = {
    action: 'service_account.created',
    target: clientId,
    details: { name: 'Root', slug: 'root', roles: ['root'], credentials: [issued.credential.credentialId] },
  };
  return { result: { clientId, clientSecret: issued.clientSecret }, audit: [created] };
}

/**
 * Gives the oldest root account one more secret, for an operator who has lost the last.
 *
 * @throws DomainError `not_found` when there is no root account yet
 */
export async function recoverRoot(stores: Stores, tools: CredentialTools, now: Date): Promise<Work<RootCredential>> {
  const [clientId] = await stores.serviceAccounts.lockRoots();
  if (clientId === undefined) throw new DomainError('not_found', 'There is no root account: start Writ to make one');
  const { credential, clientSecret } = issueClientSecret(tools, now);
  await stores.credentials.insert(clientId, credential);
  return {
    result: { clientId, clientSecret },
    audit: [
      {
        action: 'credential.created',
        target: credential.credentialId,
        details: { clientId, type: credential.type, hint: credential.hint },
      },
    ],
  };
}
