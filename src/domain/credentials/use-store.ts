import type { ClientId, CredentialId } from '../ids.ts';

/** That a credential was used, some times up to one. */
export interface Use {
  readonly clientId: ClientId;
  readonly credentialId: CredentialId;
  /** How often since it was said last. */
  readonly count: number;
  readonly usedAt: Date;
  /** The address it was used from last. */
  readonly source: string;
}

/** The last use of a credential. */
export type LastUse = Pick<Use, 'credentialId' | 'usedAt' | 'source'>;

/** How often a credential was used on a day, in UTC, `2026-11-21`. */
export interface UseCount {
  readonly day: string;
  readonly count: number;
}

export interface UseStore {
  /**
   * Adds uses to what is known, and gives credentials that are extended by use their lifetime anew: in one statement,
   * however many there are.
   *
   * @returns the accounts whose credentials end later now; every node is told
   */
  record(uses: readonly Use[]): Promise<ClientId[]>;
  lastOf(clientId: ClientId): Promise<LastUse[]>;
  /** Newest first. */
  countsOf(clientId: ClientId, credentialId: CredentialId): Promise<UseCount[]>;
  /** Forgets some of the counts of days before one. @returns how many */
  forgetCounts(before: Date): Promise<number>;
}

/** Notes that a credential got a token; takes no time. */
export type NoteUse = (clientId: ClientId, credentialId: CredentialId, source: string) => void;
