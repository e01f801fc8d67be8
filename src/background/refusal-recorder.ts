import { gatherRefusals } from '../domain/activity/gather-refusals.ts';
import type { RefusalStore } from '../domain/activity/refusal-store.ts';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { Clock } from '../domain/clock.ts';
import type { Logger } from '../observability/logger.ts';
import type { OutageLog } from '../observability/outage-log.ts';
import { startGatheredWriter } from './gathered-writer.ts';

/** Gathers refusals in memory and writes them to the database at intervals. */
export interface RefusalRecorder {
  readonly note: NoteRefusal;
  /** The number of rows that wait to be written. */
  waiting(): number;
  /** Writes the gathered refusals, and stops. */
  close(): Promise<void>;
}

/** The most rows that may wait. Ids that no account has are counted apart: made-up ids displace no real account. */
const MOST_WAITING = { accounts: 2000, nobodys: 500 };

const LONGEST_DETAIL = 300;

/**
 * Starts to record refusals.
 *
 * @param pause milliseconds between two writes; each write is one statement, however many refusals it has
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
        size: gathering.size,
        take() {
          const { gathered, dropped } = gathering.take();
          // Every dropped refusal is in the log already, with its reason.
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
    waiting: () => ofAccounts.size() + nobodys.size(),
    async close() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

/** Shortens a text and replaces characters that a database could refuse: a client may have sent parts of the text. */
function keepable(detail: string): string {
  const plain = detail.replaceAll(/[^\x20-\x7E]/g, '?');
  return plain.length > LONGEST_DETAIL ? `${plain.slice(0, LONGEST_DETAIL)}...` : plain;
}
