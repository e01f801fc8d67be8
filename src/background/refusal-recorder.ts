import { gatherRefusals } from '../domain/activity/gather-refusals.ts';
import type { RefusalStore } from '../domain/activity/refusal-store.ts';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { Clock } from '../domain/clock.ts';
import type { Logger } from '../observability/logger.ts';
import type { OutageLog } from '../observability/outage-log.ts';
import { startGatheredWriter } from './gathered-writer.ts';

/** Gathers which clients are refused and why, and writes it down now and then. */
export interface RefusalRecorder {
  readonly note: NoteRefusal;
  /** Writes what has been gathered, and stops. */
  close(): Promise<void>;
}

/** Rows that may wait at once: of accounts, and of ids that nobody has, so that who makes those up is in nobody's way. */
const MOST_WAITING = { accounts: 2000, nobodys: 500 };

const LONGEST_DETAIL = 300;

/**
 * @param pause milliseconds between two writes; each is one statement, however many were refused meanwhile
 */
export function startRefusalRecorder(
  { record }: Pick<RefusalStore, 'record'>,
  {
    clock,
    logger,
    outages,
    pause,
  }: { clock: Clock; logger: Logger; outages: Pick<OutageLog, 'failed'>; pause: number },
): RefusalRecorder {
  const ofAccounts = gatherRefusals('source', MOST_WAITING.accounts);
  const nobodys = gatherRefusals('clientId', MOST_WAITING.nobodys);
  const write = (gathering: typeof ofAccounts): (() => Promise<void>) =>
    startGatheredWriter(
      {
        add: gathering.add,
        take() {
          const { gathered, dropped } = gathering.take();
          // The log has had each of them, with its reason.
          if (dropped > 0) logger.warn({ event: 'refusals.dropped', count: dropped });
          return gathered;
        },
      },
      record,
      { pause, outages, event: 'refusals.not_recorded' },
    );
  const closing = [ofAccounts, nobodys].map(write);
  return {
    note({ clientId, found, reason, ...request }) {
      const occurredAt = clock();
      const { source, detail, told } = request;
      const kept = {
        ...request,
        detail: detail && keepable(detail),
        told: told && { ...told, description: keepable(told.description) },
        occurredAt,
      };
      (found ? ofAccounts : nobodys).add({
        clientId,
        reason,
        source,
        count: 1,
        firstAt: occurredAt,
        lastAt: occurredAt,
        recent: [kept],
      });
    },
    async close() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

/** As much of a text as is kept, in characters that every database takes: a client may have sent what stands in it. */
function keepable(detail: string): string {
  const plain = detail.replaceAll(/[^\x20-\x7E]/g, '?');
  return plain.length > LONGEST_DETAIL ? `${plain.slice(0, LONGEST_DETAIL)}...` : plain;
}
