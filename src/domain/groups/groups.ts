import { assertPermissions, assertRoom, keepOwner } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { AuditEntry } from '../audit/audit-event.ts';
import { differences } from '../audit/differences.ts';
import { type Announcement, everyoneIn } from '../announcement.ts';
import type { Clock } from '../clock.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { DomainError } from '../domain-error.ts';
import { type ClientId, type CompanyId, newGrantId, type RandomId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { changedGrants, type WantedChanges } from '../permissions/rules/changed-grants.ts';
import { assertEffective, numberOfEffective } from '../permissions/rules/holdings.ts';
import { assertAllowed, assertMayGrant } from '../permissions/rules/may-grant.ts';
import { type WrittenPermission, writtenPermissions, writtenRoles } from '../permissions/written-grants.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { assertNumberOfGrants, assertNumberOfGroups } from '../service-accounts/account-rules.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { ServiceAccount } from '../service-accounts/service-account.ts';
import { slugFor } from '../slug.ts';
import type { Storage, Stores } from '../storage.ts';
import { changedMembers, type MemberChanges } from './changed-members.ts';
import { type Group, type GroupSnapshot, isGroupId } from './group.ts';
import type { GroupFilter } from './group-store.ts';

/** The input for creating a group. */
export interface NewGroup {
  /** Undefined: the id is made from the name. */
  readonly groupId: string | undefined;
  readonly name: string;
  readonly permissions: readonly WrittenPermission[];
  /** Ids of roles, some at places. */
  readonly roles: readonly string[];
  /** Ids or slugs of accounts of the group's company. */
  readonly members: readonly string[];
}

/** The wanted changes of a group. Undefined leaves a member as it is. */
export interface GroupChanges extends WantedChanges, MemberChanges {
  readonly name?: string | undefined;
}

/** The use cases of groups. */
export interface Groups {
  /**
   * @throws DomainError `not_found` if there is no such company, `invalid_value`, `ambiguous_permission`, `forbidden`,
   *   `insufficient_scope`, `limit_reached`, or `already_exists`
   */
  create(caller: Caller, company: CompanyId, input: NewGroup): Promise<GroupSnapshot>;
  /** @throws DomainError `not_found` */
  get(company: CompanyId, id: string): Promise<GroupSnapshot>;
  /** Lists groups, newest first. */
  list(company: CompanyId, filter: GroupFilter, page: PageRequest): Promise<Page<GroupSnapshot>>;
  /** The names of the members of groups, by the ids of the members. */
  memberNames(
    company: CompanyId,
    groups: readonly Pick<GroupSnapshot, 'members'>[],
  ): Promise<ReadonlyMap<ClientId, Pick<ServiceAccount, 'slug' | 'name'>>>;
  /**
   * @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `ambiguous_permission`, `forbidden`,
   *   `insufficient_scope`, `limit_reached`
   */
  change(
    caller: Caller,
    company: CompanyId,
    id: string,
    expected: ExpectedRevisions,
    changes: GroupChanges,
  ): Promise<GroupSnapshot>;
  /**
   * Deletes a group. Its members lose the permissions and roles of the group; the accounts stay.
   *
   * @throws DomainError `not_found`, `precondition_failed`
   */
  delete(caller: Caller, company: CompanyId, id: string, expected: ExpectedRevisions): Promise<void>;
}

/** The most members of one group. */
const MOST_MEMBERS = 1000;

/** The outcome of a change of a group, for its audit entry. */
interface Applied {
  readonly details: Readonly<Record<string, unknown>>;
  readonly announces: readonly Announcement[];
}

export function createGroups({
  storage,
  clock,
  randomId,
  limits,
}: {
  storage: Storage;
  clock: Clock;
  randomId: RandomId;
  /** The limits of companies without limits of their own. */
  limits: Limits;
}): Groups {
  /** Applies changes to the grants and members of a group. */
  async function apply(
    stores: Stores,
    caller: Caller,
    owner: KeptCompany | undefined,
    before: GroupSnapshot,
    changes: GroupChanges,
  ): Promise<Applied> {
    const { group } = before;
    const { company, groupId } = group;
    const { added, removed, grants, roles, audiences } = await changedGrants(stores, company, before, changes);
    const { joined, left } = await changedMembers(stores, before, changes);
    for (const { place } of [...added, ...removed, ...(changes.rolesAt ?? [])]) {
      assertAllowed(caller, 'writ.roles.bind', place);
    }
    const idle = added.length + removed.length + (changes.rolesAt?.length ?? 0) === 0;
    if (idle || joined.length + left.length > 0) assertAllowed(caller, 'writ.roles.bind');
    if (added.length > 0) {
      assertNumberOfGrants(grants.length);
      assertEffective(numberOfEffective({ grants, groups: [], roles }));
    }
    // An account that joins gets all grants of the group; the present members get the added grants.
    const joins = joined.includes(caller.clientId);
    const target = { company, roles, audiences };
    if (joined.length > 0) await assertMayGrant(stores, caller, grants, { ...target, self: joins });
    await assertMayGrant(stores, caller, added, { ...target, self: joins || caller.groups.includes(groupId) });
    if (before.members.length + joined.length - left.length > MOST_MEMBERS) {
      throw new DomainError('limit_reached', `A group has at most ${MOST_MEMBERS} members`);
    }
    await stores.grants.delete(group, removed);
    await stores.grants.insert(
      group,
      added.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
    );
    await stores.groups.addMembers(company, [groupId], joined);
    await stores.groups.removeMembers(company, [groupId], left);
    // This locks the accounts before their groups are counted, so that an account joins one group after the other.
    await stores.serviceAccounts.touch(company, [...joined, ...left], clock());
    if (joined.length > 0) assertNumberOfGroups(await stores.groups.mostMemberships(company, joined));
    if (added.length + joined.length > 0) {
      const most = await stores.serviceAccounts.mostEffective(
        added.length > 0 ? { company, groupId } : { company, clientIds: joined },
      );
      assertPermissions(owner, limits, most);
    }
    const lists = {
      permissionsAdded: writtenPermissions(added, audiences),
      permissionsRemoved: writtenPermissions(removed, audiences),
      rolesAdded: writtenRoles(added),
      rolesRemoved: writtenRoles(removed),
      membersAdded: joined,
      membersRemoved: left,
    };
    const members = added.length + removed.length > 0 ? [...before.members, ...joined] : joined;
    return {
      details: Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
      announces: announcementsOf(company, [...members, ...left]),
    };
  }

  return {
    async create(caller, company, input) {
      const groupId = input.groupId ?? slugFor(input.name, 'group', randomId);
      if (!isGroupId(groupId)) {
        throw new DomainError('invalid_value', 'This is no id of a group', {
          fields: [{ pointer: '/groupId', message: 'must be of A-Z a-z 0-9 . _ -' }],
        });
      }
      const now = clock();
      const group: Group = {
        groupId,
        company,
        name: input.name,
        createdAt: now,
        createdBy: caller.clientId,
        updatedAt: now,
        revision: 1,
      };
      return storage.write(originOf(caller), async (stores) => {
        const owner = await keepOwner(stores, company);
        if (!(await stores.groups.insert(group))) {
          throw new DomainError('already_exists', `A group with the id ${groupId} exists`, {
            fields: [{ pointer: '/groupId', message: 'is taken' }],
            existing: groupId,
          });
        }
        const nothing: GroupSnapshot = { group, grants: [], members: [], roles: new Map(), audiences: new Map() };
        const { permissions, roles, members } = input;
        const applied = await apply(stores, caller, owner, nothing, { permissions, roles, members });
        await assertRoom(stores, owner, limits, { groups: 1 }, now);
        const details = { name: group.name, ...applied.details };
        return {
          result: (await stores.groups.find(company, groupId)) ?? noSuchGroup(),
          audit: [entry('group.created', group, details, applied.announces)],
        };
      });
    },

    get: async (company, id) =>
      (isGroupId(id) ? await storage.read.groups.find(company, id) : undefined) ?? noSuchGroup(),

    list: (company, filter, page) => storage.read.groups.list(company, filter, page),

    async memberNames(company, some) {
      const ids = new Set(some.flatMap(({ members }) => members));
      const named = await storage.read.serviceAccounts.named(company, [...ids]);
      return new Map(named.map(({ clientId, ...names }) => [clientId, names]));
    },

    change: (caller, company, id, expected, changes) =>
      storage.write(originOf(caller), async (stores) => {
        const owner = await stores.companies.keep(company);
        const before = await lock(stores, company, id);
        assertRevision(before.group.revision, expected);
        const after = { ...before.group, name: changes.name ?? before.group.name };
        if (changes.name !== undefined) assertAllowed(caller, 'writ.roles.bind');
        const applied = await apply(stores, caller, owner, before, changes);
        const details = { ...differences(before.group, after, ['name']), ...applied.details };
        if (Object.keys(details).length === 0) return { result: before, audit: [] };
        await stores.groups.update({ ...after, updatedAt: clock(), revision: before.group.revision + 1 });
        return {
          result: (await stores.groups.find(company, after.groupId)) ?? noSuchGroup(),
          audit: [entry('group.changed', after, details, applied.announces)],
        };
      }),

    delete: (caller, company, id, expected) =>
      storage.write(originOf(caller), async (stores) => {
        await stores.companies.keep(company);
        const { group, members } = await lock(stores, company, id);
        assertRevision(group.revision, expected);
        await stores.groups.delete(group);
        await stores.serviceAccounts.touch(company, members, clock());
        const details = { name: group.name, members: members.length };
        return {
          result: undefined,
          audit: [entry('group.deleted', group, details, announcementsOf(company, members))],
        };
      }),
  };
}

async function lock(stores: Stores, company: CompanyId, id: string): Promise<GroupSnapshot> {
  const [group] = isGroupId(id) ? await stores.groups.lock(company, [id]) : [];
  return group ?? noSuchGroup();
}

function entry(
  action: AuditEntry['action'],
  { groupId, company }: Group,
  details: Readonly<Record<string, unknown>>,
  announces: readonly Announcement[],
): AuditEntry {
  return { action, target: groupId, company, details, announces };
}

/** The most accounts that are announced one by one; for more, all accounts of the company are announced. */
const MOST_NAMED = 100;

function announcementsOf(company: CompanyId, members: readonly ClientId[]): readonly Announcement[] {
  if (members.length > MOST_NAMED) return everyoneIn(company);
  return members.map((clientId) => ({ kind: 'account', clientId }));
}

function noSuchGroup(): never {
  throw new DomainError('not_found', 'There is no such group');
}
