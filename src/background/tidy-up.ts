import { type Clock, VERIFIERS_BEHIND } from '../domain/clock.ts';
import { HANDFUL, type Storage } from '../domain/storage.ts';

/** How long a rotated credential is still shown after its end, in milliseconds: 30 days. */
const ENDED_SHOWN = 30 * 86_400_000;
/** How long the daily use counts of a credential are shown, in milliseconds: 400 days. */
const USES_SHOWN = 400 * 86_400_000;
/** The least milliseconds to keep a revoked status entry: its tokens may outlast today's WRIT_TOKEN_MAX_TTL. */
const A_WEEK = 7 * 86_400_000;
/** How long refusals are shown, in milliseconds: 30 days. */
const REFUSALS_SHOWN = 30 * 86_400_000;

/**
 * Creates the work of the janitor: each round deletes some outdated rows of every kind, and gives some audit events
 * their positions.
 *
 * @param tokenMaxTtl seconds
 * @param keysKeptFor milliseconds for which a retired signing key stays published
 * @returns one round, which resolves to whether there may be more to do
 */
export function tidyUp(
  { read, replays, auditEvents }: Pick<Storage, 'read' | 'replays' | 'auditEvents'>,
  clock: Clock,
  tokenMaxTtl: number,
  keysKeptFor: number,
): () => Promise<boolean> {
  return async () => {
    const ago = (milliseconds: number): Date => new Date(clock().getTime() - milliseconds);
    const done = [
      await replays.deleteExpired(),
      await read.credentials.deleteEnded(ago(ENDED_SHOWN)),
      await read.uses.deleteCounts(ago(USES_SHOWN)),
      await read.refusals.deleteBefore(ago(REFUSALS_SHOWN)),
      await read.statuses.deleteRevoked(ago(Math.max(tokenMaxTtl * 1000, A_WEEK) + VERIFIERS_BEHIND)),
      await read.revokedTokens.deleteExpired(ago(VERIFIERS_BEHIND)),
      await read.signingKeys.deleteRetired(ago(keysKeptFor)),
      await auditEvents.settle(),
    ];
    return done.some((rows) => rows >= HANDFUL);
  };
}
