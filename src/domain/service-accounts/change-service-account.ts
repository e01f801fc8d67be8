import { differences } from '../audit/differences.ts';
import { DomainError } from '../domain-error.ts';
import { newGrantId } from '../ids.ts';
import { audienceOf, namedAudience } from '../permissions/choose-audience.ts';
import { bindPermissions, type Grant } from '../permissions/grant.ts';
import { assertMayGrant } from '../permissions/may-grant.ts';
import type { ResourceServers } from '../permissions/resource-server.ts';
import { assertRevision } from '../revision.ts';
import type { Stores, Work } from '../storage.ts';
import { assertFits, assertNumberOfGrants, assertTokenFits, keepingARoot } from './account-rules.ts';
import { type Caller, originOf } from './caller.ts';
import type { AccountSnapshot, Metadata, ServiceAccount } from './service-account.ts';
import {
  type AccountChanges,
  noSuchAccount,
  type ServiceAccounts,
  type ServiceAccountTools,
} from './service-accounts.ts';

export function createChange(tools: ServiceAccountTools): ServiceAccounts['change'] {
  const { storage, clock, resourceServers, randomId } = tools;

  async function apply(
    stores: Stores,
    caller: Caller,
    before: AccountSnapshot,
    changes: AccountChanges,
  ): Promise<Work<AccountSnapshot>> {
    const { clientId, company } = before.account;
    const { added, removed } = changedGrants(before.grants, changes, resourceServers);
    assertMayGrant(caller, added, company);
    const grants = [...before.grants.filter((grant) => !removed.includes(grant)), ...added];
    assertNumberOfGrants(grants.length);
    const account = changedAccount(before.account, changes, grants, tools);
    assertFits(account, tools.tokens);
    assertTokenFits({ account, grants }, before, tools.tokens, resourceServers);
    const details = detailsOf(before.account, account, { added, removed }, resourceServers);
    // Said twice, it is done once: nobody's revision moves for nothing.
    if (Object.keys(details).length === 0) return { result: before, audit: [] };
    await stores.serviceAccounts.update({ ...account, updatedAt: clock(), revision: account.revision + 1 });
    await stores.grants.delete(account, removed);
    await stores.grants.insert(
      account,
      added.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
    );
    return {
      result: (await stores.serviceAccounts.find(company, clientId)) ?? noSuchAccount(),
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
  }

  return (caller, company, id, expected, changes) =>
    storage.write(originOf(caller), async (stores) => {
      const { account } = (await stores.serviceAccounts.find(company, id)) ?? noSuchAccount();
      return keepingARoot(stores, account, async () => {
        const before = (await stores.serviceAccounts.lock(account)) ?? noSuchAccount();
        assertRevision(before.account.revision, expected);
        return apply(stores, caller, before, changes);
      });
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
    return { added: bindPermissions([addPermission], servers, undefined), removed: [] };
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

/** What an auditor wants to see of a change, in the words of the management API. */
function detailsOf(
  before: ServiceAccount,
  after: ServiceAccount,
  { added, removed }: GrantChanges,
  servers: ResourceServers,
): Readonly<Record<string, unknown>> {
  const names = (grants: readonly Grant[]): string[] =>
    grants.map((grant) => (grant.kind === 'permission' ? grant.permission : grant.roleId));
  const shown = ({ audience, ...account }: ServiceAccount): object & Record<(typeof COMPARED)[number], unknown> => ({
    ...account,
    audience: audience && servers.get(audience)?.identifier,
  });
  return {
    ...differences(shown(before), shown(after), COMPARED),
    ...(added.length > 0 && { permissionsAdded: names(added) }),
    ...(removed.length > 0 && { permissionsRemoved: names(removed) }),
  };
}

const COMPARED = ['name', 'description', 'state', 'audience', 'tokenTtl', 'metadata'] as const;
