import { DomainError } from '../domain-error.ts';
import { newGrantId } from '../ids.ts';
import { audienceOf, namedAudience } from '../permissions/choose-audience.ts';
import { bindPermissions, type Grant } from '../permissions/grant.ts';
import { assertMayGrant } from '../permissions/may-grant.ts';
import type { ResourceServers } from '../permissions/resource-server.ts';
import { assertRevision } from '../revision.ts';
import { assertFits, keepingARoot } from './account-rules.ts';
import { originOf } from './caller.ts';
import type { AccountSnapshot, Metadata, ServiceAccount } from './service-account.ts';
import {
  type AccountChanges,
  noSuchAccount,
  type ServiceAccounts,
  type ServiceAccountTools,
} from './service-accounts.ts';

export function createChange(tools: ServiceAccountTools): ServiceAccounts['change'] {
  const { storage, clock, randomId } = tools;

  return (caller, company, id, expected, changes) =>
    storage.write(originOf(caller), async (stores) => {
      const { clientId } = ((await stores.serviceAccounts.find(company, id)) ?? noSuchAccount()).account;
      let changed: AccountSnapshot | undefined;
      let details: Readonly<Record<string, unknown>> = {};
      await keepingARoot(stores, { company }, async () => {
        const before = (await stores.serviceAccounts.lock({ clientId, company })) ?? noSuchAccount();
        assertRevision(before.account.revision, expected);
        const { added, removed } = changedGrants(before.grants, changes, tools.resourceServers);
        assertMayGrant(caller, added, company);
        const grants = [...before.grants.filter((grant) => !removed.includes(grant)), ...added];
        const account = changedAccount(before.account, changes, grants, tools);
        assertFits(account, tools);
        await stores.serviceAccounts.update({ ...account, updatedAt: clock() });
        await stores.grants.delete(account, removed);
        await stores.grants.insert(
          account,
          added.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
        );
        changed = await stores.serviceAccounts.find(company, clientId);
        details = differences(before.account, account, { added, removed });
      });
      return {
        result: changed ?? noSuchAccount(),
        audit: [
          {
            action: 'service_account.changed',
            target: clientId,
            company,
            changes: [{ kind: 'account', clientId }],
            details,
          },
        ],
      };
    });
}

interface GrantChanges {
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
}

/** A grant that stays keeps its binding, whatever has been declared since. */
function changedGrants(
  grants: readonly Grant[],
  { permissions, addPermission, removePermission }: AccountChanges,
  servers: ResourceServers,
): GrantChanges {
  const named = (name: string): Grant | undefined =>
    grants.find((grant) => grant.kind === 'permission' && grant.permission === name);
  if (permissions !== undefined) {
    // Bound together, so that a pointer says which of them is wrong.
    const wanted = bindPermissions(permissions, servers, '/permissions');
    return {
      added: wanted.filter((grant) => grant.kind === 'permission' && named(grant.permission) === undefined),
      removed: grants.filter((grant) => grant.kind === 'permission' && !permissions.includes(grant.permission)),
    };
  }
  if (addPermission !== undefined && named(addPermission) === undefined) {
    return { added: bindPermissions([addPermission], servers, ''), removed: [] };
  }
  if (removePermission !== undefined) {
    const removed = named(removePermission);
    if (removed === undefined) throw new DomainError('not_found', 'The account does not have this permission');
    return { added: [], removed: [removed] };
  }
  return { added: [], removed: [] };
}

function changedAccount(
  account: ServiceAccount,
  changes: AccountChanges,
  grants: readonly Grant[],
  { resourceServers }: { resourceServers: ResourceServers },
): ServiceAccount {
  const { name, description, state, tokenTtl, metadata } = changes;
  return {
    ...account,
    name: name ?? account.name,
    description: description === undefined ? account.description : (description ?? undefined),
    state: state ?? account.state,
    audience: changedAudience(account, changes, grants, resourceServers),
    tokenTtl: tokenTtl === undefined ? account.tokenTtl : (tokenTtl ?? undefined),
    metadata: metadata === undefined ? account.metadata : merged(account.metadata, metadata),
    revision: account.revision + 1,
  };
}

/** No grant moves an audience that has been chosen; the first one chooses it. */
function changedAudience(
  account: ServiceAccount,
  { audience }: AccountChanges,
  grants: readonly Grant[],
  servers: ResourceServers,
): ServiceAccount['audience'] {
  if (typeof audience === 'string') return namedAudience(audience, servers);
  if (account.audience !== undefined && audience === undefined) return account.audience;
  return audienceOf(grants, servers);
}

/** JSON merge patch (RFC 7396) of one level. */
function merged(metadata: Metadata, patch: AccountChanges['metadata']): Metadata {
  const members = new Map<string, Metadata[string]>(patch === null ? [] : Object.entries(metadata));
  for (const [name, value] of Object.entries(patch ?? {})) {
    if (value === null) members.delete(name);
    else members.set(name, value);
  }
  return Object.fromEntries(members);
}

const COMPARED = ['name', 'description', 'state', 'audience', 'tokenTtl', 'metadata'] as const;

/** What an auditor wants to see of a change. */
function differences(
  before: ServiceAccount,
  after: ServiceAccount,
  { added, removed }: GrantChanges,
): Readonly<Record<string, unknown>> {
  const names = (grants: readonly Grant[]): string[] =>
    grants.map((grant) => (grant.kind === 'permission' ? grant.permission : grant.roleId));
  const members = COMPARED.filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]));
  return {
    ...Object.fromEntries(
      members.map((member) => [member, { from: before[member] ?? null, to: after[member] ?? null }]),
    ),
    ...(added.length > 0 && { permissionsAdded: names(added) }),
    ...(removed.length > 0 && { permissionsRemoved: names(removed) }),
  };
}
