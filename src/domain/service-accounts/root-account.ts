import type { CredentialTools } from '../credentials/kinds/kind.ts';
import type { AuditEntry } from '../audit/audit-event.ts';
import { type IssuedCredential, issueClientSecret, issueCredentials } from '../credentials/issue-credentials.ts';
import { NO_POLICY } from '../credentials/credential-policy.ts';
import { DomainError } from '../domain-error.ts';
import { ROOT_ROLE_GRANT } from '../roles/built-in-roles.ts';
import { isClientId, newClientId, newGrantId, type ClientId } from '../ids.ts';
import type { Stores, Work } from '../storage.ts';
import type { ServiceAccount } from './service-account.ts';

/** The id and the secret of a root account. The secret is shown once. */
export interface RootCredential {
  readonly clientId: ClientId;
  readonly clientSecret: string;
}

/** The parts of the first root account that the operator has set. */
export interface FixedRoot {
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  /** A JWK. An account with a public key gets a secret only if the operator has set one. */
  readonly publicKey: unknown;
}

/**
 * Registers the first root account, with the role `root`, if there is no root account that may grant everything.
 *
 * @param fixed the parts of the account that the operator has set
 * @returns the id of the new account, and its secret if it has one; undefined: there was a root account already
 * @throws DomainError `already_exists` when the set id belongs or once belonged to another account, `invalid_value`
 *   when the set key cannot be used
 */
export async function bootstrapRoot(
  stores: Stores,
  tools: CredentialTools,
  { now, fixed }: { now: Date; fixed: FixedRoot },
): Promise<Work<{ clientId: ClientId; clientSecret: string | undefined } | undefined>> {
  if ((await stores.serviceAccounts.lockRoots()).length > 0) return { result: undefined, audit: [] };

  const clientId =
    fixed.clientId !== undefined && isClientId(fixed.clientId) ? fixed.clientId : newClientId(tools.randomId);
  if (await stores.serviceAccounts.isUsed(clientId)) {
    throw new DomainError('already_exists', `WRIT_BOOTSTRAP_CLIENT_ID: ${clientId} has been used before`);
  }
  const issued = await issueRootCredentials(tools, now, fixed);
  const credentials = issued.map(({ credential }) => credential);
  const account: ServiceAccount = {
    clientId,
    company: undefined,
    slug: 'root',
    name: 'Root',
    description: undefined,
    state: 'enabled',
    audience: 'management',
    tokenTtl: undefined,
    senderConstraint: 'none',
    metadata: {},
    createdAt: now,
    createdBy: undefined,
    updatedAt: now,
    revision: 1,
  };
  const grants = [{ ...ROOT_ROLE_GRANT, grantId: newGrantId(tools.randomId) }];
  await stores.serviceAccounts.insert(account, { credentials, grants }, undefined);
  const created: AuditEntry = {
    action: 'service_account.created',
    target: clientId,
    announces: [{ kind: 'account', clientId }],
    details: {
      name: 'Root',
      slug: 'root',
      roles: ['root'],
      credentials: credentials.map(({ credentialId, type }) => ({ credentialId, type })),
    },
  };
  const clientSecret = issued.find((one) => one.secret !== undefined)?.secret;
  return { result: { clientId, clientSecret }, audit: [created] };
}

async function issueRootCredentials(tools: CredentialTools, now: Date, fixed: FixedRoot): Promise<IssuedCredential[]> {
  const { publicKey, clientSecret } = fixed;
  if (publicKey === undefined) return [issueClientSecret(tools, now, clientSecret)];
  const key = { type: 'public_key', publicKey, assertionAudiences: [], assertionMaxTtl: undefined } as const;
  // No policy applies: without this credential nobody could do anything on the server.
  const keys = await issueCredentials([key], tools, now, NO_POLICY);
  return clientSecret === undefined ? keys : [...keys, issueClientSecret(tools, now, clientSecret)];
}

/**
 * Issues another secret to the oldest root account that may grant everything, and enables the account. An operator who
 * has lost access to all root accounts uses this.
 *
 * @throws DomainError `not_found` when there is no such root account
 */
export async function recoverRoot(stores: Stores, tools: CredentialTools, now: Date): Promise<Work<RootCredential>> {
  const [clientId] = await stores.serviceAccounts.lockRoots();
  const root = clientId && (await stores.serviceAccounts.findSnapshot(clientId));
  if (!root) throw new DomainError('not_found', 'There is no root account: start Writ to register one');
  const { account } = root;
  const { credential, secret } = issueClientSecret(tools, now);
  await stores.credentials.insert(account, [credential]);
  await stores.serviceAccounts.update({
    ...account,
    state: 'enabled',
    updatedAt: now,
    revision: account.revision + 1,
  });
  await stores.statuses.settle([account.clientId], now);
  const announces = [{ kind: 'account', clientId: account.clientId }] as const;
  const created: AuditEntry = {
    action: 'credential.created',
    target: credential.credentialId,
    announces,
    details: { clientId, type: credential.type, hint: credential.hint },
  };
  const enabled: AuditEntry = {
    action: 'service_account.changed',
    target: account.clientId,
    announces,
    details: { state: { from: account.state, to: 'enabled' } },
  };
  return {
    result: { clientId: account.clientId, clientSecret: secret },
    audit: account.state === 'enabled' ? [created] : [created, enabled],
  };
}
