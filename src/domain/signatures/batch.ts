/** Milliseconds for which one batch may hold the event loop. */
const LONGEST_HOLD = 2;

/** Does a piece of work on the main thread, together with the other pieces of one turn of the event loop. */
export type Batch = <Result>(work: () => Result) => Promise<Result>;

/**
 * Gathers the signatures of one turn of the event loop, and makes or verifies them in its check phase. A signature takes
 * less time than a hand-over to the thread pool and back. Signatures of one batch also let their answers leave together,
 * so the next turn finds more requests.
 *
 * @param now milliseconds of a clock that never goes back
 * @param schedule runs a function in the check phase of the event loop
 */
export function createBatch(
  now: () => number,
  schedule: (run: () => void) => void = (run) => void setImmediate(run),
): Batch {
  let waiting: (() => void)[] = [];

  function doAll(): void {
    const end = now() + LONGEST_HOLD;
    const batch = waiting;
    waiting = [];
    for (const [index, work] of batch.entries()) {
      if (now() >= end) {
        // Requests that arrived meanwhile are read before the rest is done.
        waiting = batch.slice(index);
        schedule(doAll);
        return;
      }
      work();
    }
  }

  return (work) =>
    new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      if (waiting.length === 1) schedule(doAll);
    });
}
