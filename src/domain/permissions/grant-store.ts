import type { CompanyId, GrantId, GroupId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Grant } from './grant.ts';

/** A grant with the id of its row. */
export type StoredGrant = Grant & { readonly grantId: GrantId };

/** The account or the group that has a grant. */
export type GrantSubject = AccountKey | { readonly groupId: GroupId; readonly company: CompanyId };

export interface GrantStore {
  insert(subject: GrantSubject, grants: readonly StoredGrant[]): Promise<void>;
  delete(subject: GrantSubject, grants: readonly Grant[]): Promise<void>;
}
