import type { ClientId, CompanyId } from '../ids.ts';

/** The number of status lists, and their revoked entries. */
export interface RevokedEntries {
  /** The number of lists; the first list has the number 0. */
  readonly lists: number;
  /** The numbers of the revoked entries, by list. */
  readonly revoked: ReadonlyMap<number, Uint32Array>;
}

export interface StatusStore {
  /**
   * Revokes the entries of credentials that cannot get tokens any more, and gives new entries to credentials that can
   * get tokens again. A new credential has an entry from the start.
   */
  settle(clientIds: readonly ClientId[], at: Date): Promise<void>;
  /** Does the same for all accounts of a company. */
  settleCompany(company: CompanyId, at: Date): Promise<void>;
  /** Reads all revoked entries. */
  revoked(): Promise<RevokedEntries>;
  /**
   * Deletes some entries that were revoked before a time: they are free for other credentials.
   *
   * @returns the number of deleted entries
   */
  deleteRevoked(before: Date): Promise<number>;
}
