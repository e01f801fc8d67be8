import { type Clock, VERIFIERS_BEHIND } from '../domain/clock.ts';
import { HANDFUL, type Storage } from '../domain/storage.ts';

/** For how long a credential that was rotated is still shown after its end, in milliseconds: 30 days. */
const ENDED_SHOWN = 30 * 86_400_000;
/** For how long it is shown how often a credential was used on a day: a good year. */
const USES_SHOWN = 400 * 86_400_000;
/** The settings may have allowed tokens to last longer when they were issued. */
const A_WEEK = 7 * 86_400_000;
/** For how long it is shown why clients were refused. */
const REFUSALS_SHOWN = 30 * 86_400_000;

/**
 * Deletes a handful of everything that is over, and has a handful of audit events settle in their order.
 *
 * @param tokenMaxTtl seconds
 * @returns whether there may be more
 */
export function tidyUp(
  { read, replays, auditEvents }: Pick<Storage, 'read' | 'replays' | 'auditEvents'>,
  clock: Clock,
  tokenMaxTtl: number,
): () => Promise<boolean> {
  return async () => {
    const ago = (milliseconds: number): Date => new Date(clock().getTime() - milliseconds);
    const done = [
      await replays.forgetExpired(),
      await read.credentials.forgetEnded(ago(ENDED_SHOWN)),
      await read.uses.forgetCounts(ago(USES_SHOWN)),
      await read.refusals.forget(ago(REFUSALS_SHOWN)),
      await read.statuses.forgetRevoked(ago(Math.max(tokenMaxTtl * 1000, A_WEEK) + VERIFIERS_BEHIND)),
      await read.revokedTokens.forgetExpired(ago(VERIFIERS_BEHIND)),
      await auditEvents.settle(),
    ];
    return done.some((rows) => rows >= HANDFUL);
  };
}
