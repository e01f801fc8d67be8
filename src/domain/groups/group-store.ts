import type { ClientId, CompanyId, GroupId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Group, GroupSnapshot } from './group.ts';

/** Which groups are wanted; what is undefined does not matter. */
export interface GroupFilter {
  /** Prefix of the id or the name, whatever its case. */
  readonly search?: string | undefined;
}

export interface GroupStore {
  /** @returns false, and changes nothing, when the company has one of that id */
  insert(group: Group): Promise<boolean>;
  find(company: CompanyId, groupId: GroupId): Promise<GroupSnapshot | undefined>;
  /** Those that there are; nobody else changes one or who is in it until the end of the transaction. */
  lock(company: CompanyId, groupIds: readonly GroupId[]): Promise<GroupSnapshot[]>;
  /** Newest first. */
  list(company: CompanyId, filter: GroupFilter, page: PageRequest): Promise<Page<GroupSnapshot>>;
  update(group: Group): Promise<void>;
  /** Counts a change of some by an account that joins or leaves. */
  touch(company: CompanyId, groupIds: readonly GroupId[], at: Date): Promise<void>;
  /** Deletes it with everything that it gives; its members stay. */
  delete(group: Pick<Group, 'company' | 'groupId'>): Promise<void>;
  /** To each of them; whoever is in one already stays. */
  addMembers(company: CompanyId, groupIds: readonly GroupId[], members: readonly ClientId[]): Promise<void>;
  /** The number of groups of that account among these which is in the most groups. */
  mostMemberships(company: CompanyId, clientIds: readonly ClientId[]): Promise<number>;
  removeMembers(company: CompanyId, groupIds: readonly GroupId[], members: readonly ClientId[]): Promise<void>;
}
