import type { ClientId } from '../ids.ts';

/** Remembers the assertions that were used, on every node and across restarts. */
export interface ReplayStore {
  /**
   * Uses one up, atomically: of any number that try at once, one succeeds.
   *
   * @param expiresAt from when on it need not be remembered, since it is refused anyway
   * @returns whether it had not been used before
   * @throws DomainError `unavailable` when that cannot be known
   */
  use(clientId: ClientId, jti: string, expiresAt: Date): Promise<boolean>;
  /** Forgets some of those that need not be remembered. @returns how many */
  forgetExpired(): Promise<number>;
}
