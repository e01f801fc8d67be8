import type { GrantId } from '../ids.ts';
import type { AccountKey } from '../service-accounts/service-account.ts';
import type { Grant } from './grant.ts';

export interface GrantStore {
  insert(account: AccountKey, grants: readonly (Grant & { readonly grantId: GrantId })[]): Promise<void>;
  delete(account: AccountKey, grants: readonly Grant[]): Promise<void>;
}
