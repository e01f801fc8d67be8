import type { OutageLog } from './outage-log.ts';

/** Work that is done again and again in the background. */
export interface Janitor {
  stop(): void;
}

/**
 * Forgets what is over again and again, a handful at a time for as long as there are any.
 *
 * @param forget deletes some and says how many
 * @param pause milliseconds between two rounds
 */
export function startJanitor(
  forget: () => Promise<number>,
  pause: number,
  outages: Pick<OutageLog, 'failed'>,
): Janitor {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function round(): Promise<void> {
    let more = false;
    try {
      more = (await forget()) > 0;
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
