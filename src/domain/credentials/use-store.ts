import type { ClientId, CredentialId } from '../ids.ts';

/** One or more uses of a credential. */
export interface Use {
  readonly clientId: ClientId;
  readonly credentialId: CredentialId;
  /** The number of uses. */
  readonly count: number;
  /** The time of the last use. */
  readonly usedAt: Date;
  /** The source address of the last use. */
  readonly source: string;
}

/** The last use of a credential. */
export type LastUse = Pick<Use, 'credentialId' | 'usedAt' | 'source'>;

/** The number of uses of a credential on one day in UTC, such as `2026-11-21`. */
export interface UseCount {
  readonly day: string;
  readonly count: number;
}

export interface UseStore {
  /**
   * Records uses, and gives credentials that are extended by use their lifetime anew. It takes one statement for all
   * uses.
   *
   * @returns the accounts with extended credentials; they are announced to every node
   */
  record(uses: readonly Use[]): Promise<ClientId[]>;
  lastOf(clientId: ClientId): Promise<LastUse[]>;
  /** The numbers of uses of a credential, newest day first. */
  countsOf(clientId: ClientId, credentialId: CredentialId): Promise<UseCount[]>;
  /** Deletes some numbers of uses of days before a day. @returns how many it has deleted */
  deleteCounts(before: Date): Promise<number>;
}

/** Notes a use of a credential. The caller does not wait for the database. */
export type NoteUse = (clientId: ClientId, credentialId: CredentialId, source: string) => void;
