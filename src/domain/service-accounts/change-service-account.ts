import { namedAudience } from '../resource-servers/named-audience.ts';
import { differences } from '../audit/differences.ts';
import { STATUSES } from '../announcement.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { assertMayHave } from '../credentials/may-have-credential.ts';
import type { Membership } from '../groups/group.ts';
import { joinGroups, type JoinedGroups } from '../groups/join-groups.ts';
import { type CompanyId, type GroupId, newGrantId, type ResourceServerId } from '../ids.ts';
import { audienceOf } from '../permissions/rules/choose-audience.ts';
import { assertAllowed, assertMayGrant } from '../permissions/rules/may-grant.ts';
import { writtenPermissions, writtenRoles } from '../permissions/written-grants.ts';
import type { Audience, Audiences } from '../resource-servers/resource-server.ts';
import { assertRevision } from '../revision.ts';
import type { Stores, Work } from '../storage.ts';
import { assertFits, assertNumberOfEffective, assertNumberOfGrants, assertTokenFits } from './account-rules.ts';
import { keepingARoot } from './last-root.ts';
import { type Caller, originOf } from './caller.ts';
import { changedGrants, type GrantChanges } from '../permissions/rules/changed-grants.ts';
import type { AccountSnapshot, Metadata, ServiceAccount } from './service-account.ts';
import {
  type AccountChanges,
  noSuchAccount,
  type ServiceAccounts,
  type ServiceAccountTools,
} from './service-accounts.ts';

/** The changes of roles and groups, which take `writ.roles.bind`. Other changes take `writ.serviceaccounts.manage`. */
const BINDING: ReadonlySet<string> = new Set<keyof AccountChanges>([
  'roles',
  'addRole',
  'removeRole',
  'rolesAt',
  'managementByDefault',
  'groups',
]);

export function createChange(tools: ServiceAccountTools): ServiceAccounts['change'] {
  const { storage, clock, randomId } = tools;

  async function apply(
    stores: Stores,
    caller: Caller,
    before: AccountSnapshot,
    changes: AccountChanges,
    joinedGroups: JoinedGroups | undefined,
    owner: KeptCompany | undefined,
  ): Promise<Work<AccountSnapshot>> {
    const { clientId, company } = before.account;
    const grants = await changedGrants(stores, company, before, changes);
    const { added, removed } = grants;
    const memberships = changedMemberships(before, joinedGroups);
    assertMayChange(caller, changes, grants, memberships);
    const audiences = new Map([...grants.audiences, ...memberships.audiences]);
    const roles = new Map([...grants.roles, ...memberships.roles]);
    if (added.length > 0) assertNumberOfGrants(grants.grants.length);
    const rights = { grants: grants.grants, groups: memberships.groups, roles };
    if (added.length + memberships.joined.length > 0) assertNumberOfEffective(rights, owner, tools.limits);
    await assertMayGrant(stores, caller, [...added, ...memberships.joined.flatMap((group) => group.grants)], {
      company,
      self: caller.clientId === clientId,
      roles,
      audiences,
    });
    // Enabling an account makes its credentials work again, so it takes the same rights as issuing them.
    if (changes.state === 'enabled' && before.account.state === 'disabled') {
      await assertMayHave(stores, caller, before, undefined);
    }
    const account = await changedAccount(stores, before.account, changes, { ...grants, roles, audiences });
    assertFits(account, before.account, tools.tokens);
    assertTokenFits({ account, ...rights, audiences }, before, tools.tokens);
    const details = detailsOf(before.account, account, grants, memberships, audiences);
    // A change without effect is not written: the revision of the account stays the same.
    if (Object.keys(details).length === 0) return { result: before, audit: [] };
    await stores.serviceAccounts.update({ ...account, updatedAt: clock(), revision: account.revision + 1 });
    const settles = account.state !== before.account.state;
    if (settles) await stores.statuses.settle([clientId], clock());
    await stores.grants.delete(account, removed);
    await stores.grants.insert(
      account,
      added.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
    );
    if (company !== undefined) {
      const joined = memberships.joined.map(({ groupId }) => groupId);
      await stores.groups.addMembers(company, joined, [clientId]);
      await stores.groups.removeMembers(company, memberships.left, [clientId]);
      await stores.groups.touch(company, [...joined, ...memberships.left], clock());
    }
    return {
      result: (await stores.serviceAccounts.find(company, clientId)) ?? noSuchAccount(),
      audit: [
        {
          action: 'service_account.changed',
          target: clientId,
          company,
          announces: [{ kind: 'account', clientId }, ...(settles ? STATUSES : [])],
          details,
        },
      ],
    };
  }

  return (caller, company, id, expected, changes) =>
    storage.write(originOf(caller), async (stores) => {
      // Lock company, groups and account in this order: other changes lock them in the same order, against deadlocks.
      const owner = company === undefined ? undefined : await stores.companies.keep(company);
      const joined = changes.groups && (await lockGroups(stores, company, id, changes.groups));
      return keepingARoot(stores, company, clock, async () => {
        const before = (await stores.serviceAccounts.lock(company, id)) ?? noSuchAccount();
        assertRevision(before.account.revision, expected);
        return apply(stores, caller, before, changes, joined, owner);
      });
    });
}

async function lockGroups(
  stores: Stores,
  company: CompanyId | undefined,
  id: string,
  wanted: readonly string[],
): Promise<JoinedGroups> {
  const { groups } = (await stores.serviceAccounts.find(company, id)) ?? noSuchAccount();
  return joinGroups(
    stores.groups,
    company,
    wanted,
    groups.map(({ groupId }) => groupId),
  );
}

/** The outcome of a change of the groups of an account. */
interface MembershipChanges extends Pick<GrantChanges, 'roles' | 'audiences'> {
  readonly groups: readonly Membership[];
  readonly joined: readonly Membership[];
  readonly left: readonly GroupId[];
}

function changedMemberships({ groups }: AccountSnapshot, wanted: JoinedGroups | undefined): MembershipChanges {
  if (wanted === undefined) return { groups, joined: [], left: [], roles: new Map(), audiences: new Map() };
  const { groups: then, roles, audiences } = wanted;
  const isIn = (among: readonly Membership[], id: GroupId): boolean => among.some(({ groupId }) => groupId === id);
  return {
    groups: then,
    joined: then.filter(({ groupId }) => !isIn(groups, groupId)),
    left: groups.map(({ groupId }) => groupId).filter((groupId) => !isIn(then, groupId)),
    roles,
    audiences,
  };
}

/** @throws DomainError `insufficient_scope` */
function assertMayChange(
  caller: Caller,
  changes: AccountChanges,
  { added, removed }: GrantChanges,
  { joined, left }: MembershipChanges,
): void {
  const asked = Object.entries(changes).flatMap(([member, value]) => (value === undefined ? [] : [member]));
  const places = changes.rolesAt ?? [];
  for (const { place } of places) assertAllowed(caller, 'writ.roles.bind', place);
  // A change without effect returns the account, too, so it takes the permission to manage accounts.
  const idle = added.length + removed.length + joined.length + left.length + places.length === 0;
  if (idle || asked.some((member) => !BINDING.has(member))) assertAllowed(caller, 'writ.serviceaccounts.manage');
  for (const grant of [...added, ...removed]) {
    if (grant.kind === 'role') assertAllowed(caller, 'writ.roles.bind', grant.place);
  }
  if (joined.length + left.length > 0) assertAllowed(caller, 'writ.roles.bind');
}

async function changedAccount(
  stores: Stores,
  account: ServiceAccount,
  changes: AccountChanges,
  rights: Pick<GrantChanges, 'added' | 'grants' | 'roles'> & { readonly audiences: Map<ResourceServerId, Audience> },
): Promise<ServiceAccount> {
  const { name, description, state, tokenTtl, senderConstraint, metadata } = changes;
  return {
    ...account,
    name: name ?? account.name,
    description: description === undefined ? account.description : (description ?? undefined),
    state: state ?? account.state,
    audience: await changedAudience(stores, account, changes, rights),
    tokenTtl: tokenTtl === undefined ? account.tokenTtl : (tokenTtl ?? undefined),
    senderConstraint: senderConstraint ?? account.senderConstraint,
    metadata: metadata === undefined ? account.metadata : merged(account.metadata, metadata),
  };
}

/** Decides the audience of an account. The first grants choose it; later grants keep it, because clients rely on it. */
async function changedAudience(
  { resourceServers }: Stores,
  account: ServiceAccount,
  { audience, managementByDefault = false }: AccountChanges,
  rights: Pick<GrantChanges, 'added' | 'grants' | 'roles'> & { readonly audiences: Map<ResourceServerId, Audience> },
): Promise<ServiceAccount['audience']> {
  if (typeof audience === 'string') {
    const named = await namedAudience(resourceServers, account.company, audience);
    rights.audiences.set(named.resourceServerId, named);
    return named.resourceServerId;
  }
  const first = rights.added.length > 0 && rights.added.length === rights.grants.length;
  if (audience === undefined && (account.audience !== undefined || !first)) return account.audience;
  return audienceOf(rights, !managementByDefault);
}

/** Applies a JSON merge patch (RFC 7396) of one level. */
function merged(metadata: Metadata, patch: AccountChanges['metadata']): Metadata {
  const members = new Map<string, Metadata[string]>(patch === null ? [] : Object.entries(metadata));
  for (const [name, value] of Object.entries(patch ?? {})) {
    if (value === null) members.delete(name);
    else members.set(name, value);
  }
  return Object.fromEntries(members);
}

const COMPARED = ['name', 'description', 'state', 'audience', 'tokenTtl', 'senderConstraint', 'metadata'] as const;

/** The details of a change for the audit, with the member names of the management API. */
function detailsOf(
  before: ServiceAccount,
  after: ServiceAccount,
  { added, removed }: GrantChanges,
  { joined, left }: MembershipChanges,
  audiences: Audiences,
): Readonly<Record<string, unknown>> {
  const shown = ({ audience, ...account }: ServiceAccount): object & Record<(typeof COMPARED)[number], unknown> => ({
    ...account,
    audience: audience && audiences.get(audience)?.identifier,
  });
  const lists = {
    permissionsAdded: writtenPermissions(added, audiences),
    permissionsRemoved: writtenPermissions(removed, audiences),
    rolesAdded: writtenRoles(added),
    rolesRemoved: writtenRoles(removed),
    groupsJoined: joined.map(({ groupId }) => groupId),
    groupsLeft: left,
  };
  return {
    ...differences(shown(before), shown(after), COMPARED),
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
  };
}
