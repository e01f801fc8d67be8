import type { OutageLog } from '../observability/outage-log.ts';

/** Items that wait in memory until they are written to the database. */
export interface Gathering<Item> {
  add(item: Item): void;
  /** The number of items. */
  size(): number;
  /** Hands over all items and keeps none. */
  take(): Item[];
}

/**
 * Writes gathered items to the database at intervals. The items of a failed write are kept for the next write.
 *
 * @param record writes all items in one statement
 * @param options `pause`: milliseconds between two writes; `event`: the name of a failed write in the log
 * @returns a function that writes the remaining items and ends the intervals
 */
export function startGatheredWriter<Item>(
  gathering: Gathering<Item>,
  record: (items: readonly Item[]) => Promise<void>,
  { pause, event, outages }: { pause: number; event: string; outages: Pick<OutageLog, 'failed'> },
): () => Promise<void> {
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const items = gathering.take();
    if (items.length === 0) return;
    try {
      await record(items);
    } catch (error) {
      items.forEach(gathering.add);
      outages.failed(event, error);
    }
  }

  const flush = (): Promise<void> => (writing = writing.then(write));
  const timer = setInterval(() => void flush(), pause).unref();
  return () => {
    clearInterval(timer);
    return flush();
  };
}
