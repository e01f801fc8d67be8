import type { OutageLog } from '../observability/outage-log.ts';

/** What is gathered in memory, and written down now and then. */
export interface Gathering<Item> {
  add(item: Item): void;
  /** Hands over all there is. */
  take(): Item[];
}

/**
 * Writes down what has been gathered, again and again; what cannot be written is kept for the next time.
 *
 * @param record one statement, however much there is
 * @param options `pause`: milliseconds between two writes; `event`: what a failure is called in the log
 * @returns writes what has been gathered, and stops
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
