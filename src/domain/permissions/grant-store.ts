import type { CompanyId, GrantId, GroupId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Grant } from './grant.ts';

/** A grant with the id of its row. */
export type StoredGrant = Grant & { readonly grantId: GrantId };

/** Whom something is given to: an account, or a group of a company. */
export type GrantSubject = AccountKey | { readonly groupId: GroupId; readonly company: CompanyId };

export interface GrantStore {
  insert(subject: GrantSubject, grants: readonly StoredGrant[]): Promise<void>;
  delete(subject: GrantSubject, grants: readonly Grant[]): Promise<void>;
}
