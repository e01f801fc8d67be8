/** One thing that is good for one request: an assertion, an external token or a proof of possession. */
export interface Use {
  readonly owner: string;
  readonly jti: string;
  readonly expiresAt: Date;
}

/** Keeps the ids of consumed assertions, for all nodes and across restarts. */
export interface ReplayStore {
  /**
   * Consumes an assertion atomically: of several requests with the same assertion at once, one succeeds.
   *
   * @param owner the account of the assertion, or a name of the issuer of an external token
   * @param expiresAt the time from which the assertion is refused anyway, so that its id need not be kept
   * @returns whether the assertion was unused
   * @throws DomainError `unavailable` when the database cannot say that
   */
  consume(owner: string, jti: string, expiresAt: Date): Promise<boolean>;
  /** Consumes several things of one request together. @returns for each of them whether it was unused */
  consumeAll(uses: readonly Use[]): Promise<readonly boolean[]>;
  /** Deletes some ids that need not be kept any more. @returns the number of deleted ids */
  deleteExpired(): Promise<number>;
}
