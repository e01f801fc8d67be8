import type { OutageLog } from '../observability/outage-log.ts';

/** Work in the background that repeats until it is stopped. */
export interface Janitor {
  stop(): void;
}

/**
 * Tidies up in rounds. The next round begins at once when there may be more to tidy up, and otherwise after a pause.
 *
 * @param tidy does a small part of the work and says whether there may be more
 * @param pause milliseconds between two rounds
 */
export function startJanitor(tidy: () => Promise<boolean>, pause: number, outages: Pick<OutageLog, 'failed'>): Janitor {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function round(): Promise<void> {
    let more = false;
    try {
      more = await tidy();
    } catch (error) {
      outages.failed('janitor.failed', error);
    }
    schedule(more ? 0 : pause);
  }

  function schedule(delay: number): void {
    if (!stopped) timer = setTimeout(() => void round(), delay).unref();
  }

  schedule(pause);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
