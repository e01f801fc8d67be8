import type { ClientId } from '../ids.ts';
import type { AccountSnapshot, ServiceAccount } from './service-account.ts';

export interface ServiceAccountStore {
  /** @returns false, and changes nothing, when the slug or the id is taken */
  insert(account: ServiceAccount): Promise<boolean>;
  findBySlug(slug: string): Promise<ServiceAccount | undefined>;
  /** One account with its credentials and grants, in one statement. */
  findSnapshot(clientId: ClientId): Promise<AccountSnapshot | undefined>;
  /** Every account with its credentials and grants, newest first. */
  listSnapshots(): Promise<AccountSnapshot[]>;
  /** Deletes it and everything that belongs to it; its id is never given out again. @returns whether it existed */
  delete(clientId: ClientId, at: Date): Promise<boolean>;
  /** Whether the id belongs or once belonged to an account. */
  isUsed(clientId: ClientId): Promise<boolean>;
  /**
   * Accounts that hold the role `root` and can still prove who they are, oldest first. Locks them until the end of the
   * transaction, so that two callers cannot each remove the other's last one.
   */
  lockRoots(): Promise<ClientId[]>;
}
