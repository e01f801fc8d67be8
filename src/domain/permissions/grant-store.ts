import type { GrantId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Grant } from './grant.ts';

/** A grant with the id of its row. */
export type StoredGrant = Grant & { readonly grantId: GrantId };

export interface GrantStore {
  insert(account: AccountKey, grants: readonly StoredGrant[]): Promise<void>;
  delete(account: AccountKey, grants: readonly Grant[]): Promise<void>;
}
