import type { ClientId, CompanyId } from '../ids.ts';

/** The places in status lists that are taken, and which of them are revoked. */
export interface RevokedEntries {
  /** How many lists there are; they are numbered from 0. */
  readonly lists: number;
  /** The places that are revoked, by list. */
  readonly revoked: ReadonlyMap<number, Uint32Array>;
}

export interface StatusStore {
  /**
   * Has the places of accounts say what is true of them now: those of credentials that cannot get tokens any more are
   * revoked, and what can again gets new ones. A new credential has one already.
   */
  settle(clientIds: readonly ClientId[], at: Date): Promise<void>;
  /** The same for all accounts of a company. */
  settleCompany(company: CompanyId, at: Date): Promise<void>;
  /** All that is revoked. */
  revoked(): Promise<RevokedEntries>;
  /** Gives some places that were revoked before a time to others. @returns how many */
  forgetRevoked(before: Date): Promise<number>;
}
