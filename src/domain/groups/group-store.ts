import type { ClientId, CompanyId, GroupId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Group, GroupSnapshot } from './group.ts';

/** A filter of groups; undefined members do not restrict it. */
export interface GroupFilter {
  /** A prefix of the id or the name; case does not matter. */
  readonly search?: string | undefined;
}

export interface GroupStore {
  /** @returns false, and changes nothing, when the company has a group with this id */
  insert(group: Group): Promise<boolean>;
  find(company: CompanyId, groupId: GroupId): Promise<GroupSnapshot | undefined>;
  /** Finds groups. Nobody else changes the groups or their members until the end of the transaction. */
  lock(company: CompanyId, groupIds: readonly GroupId[]): Promise<GroupSnapshot[]>;
  /** Lists groups, newest first. */
  list(company: CompanyId, filter: GroupFilter, page: PageRequest): Promise<Page<GroupSnapshot>>;
  update(group: Group): Promise<void>;
  /** Raises the revisions of groups that an account joins or leaves. */
  touch(company: CompanyId, groupIds: readonly GroupId[], at: Date): Promise<void>;
  /** Deletes a group and its grants; the accounts that were its members stay. */
  delete(group: Pick<Group, 'company' | 'groupId'>): Promise<void>;
  /** Adds the members to each of the groups. Accounts that are members already stay members. */
  addMembers(company: CompanyId, groupIds: readonly GroupId[], members: readonly ClientId[]): Promise<void>;
  /** The greatest number of groups that one of these accounts is in. */
  mostMemberships(company: CompanyId, clientIds: readonly ClientId[]): Promise<number>;
  removeMembers(company: CompanyId, groupIds: readonly GroupId[], members: readonly ClientId[]): Promise<void>;
}
