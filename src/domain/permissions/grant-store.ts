import type { ClientId, GrantId } from '../ids.ts';
import type { Grant } from './grant.ts';

export interface GrantStore {
  insert(clientId: ClientId, grants: readonly (Grant & { readonly grantId: GrantId })[]): Promise<void>;
}
