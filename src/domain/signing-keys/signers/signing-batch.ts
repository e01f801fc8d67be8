/** Milliseconds for which one batch may hold the event loop. */
const LONGEST_HOLD = 2;

/** Makes signatures on the main thread, all that one turn of the event loop asks for together. */
export type SigningBatch = (sign: () => Uint8Array) => Promise<Uint8Array>;

interface Waiting {
  readonly sign: () => Uint8Array;
  readonly resolve: (signature: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the signatures of one turn of the event loop and makes them in its check phase. A signature takes less time than
 * handing it to the thread pool and being woken by it. Made together, the answers leave together, and the next turn finds
 * more requests.
 *
 * @param now milliseconds, only ever forwards
 * @param schedule runs a function in the check phase of the event loop
 */
export function createSigningBatch(
  now: () => number,
  schedule: (run: () => void) => void = (run) => void setImmediate(run),
): SigningBatch {
  let waiting: Waiting[] = [];

  function makeAll(): void {
    const end = now() + LONGEST_HOLD;
    const batch = waiting;
    waiting = [];
    for (const [index, { sign, resolve, reject }] of batch.entries()) {
      if (now() >= end) {
        // Requests that arrived meanwhile are read before the rest is signed.
        waiting = batch.slice(index);
        schedule(makeAll);
        return;
      }
      try {
        resolve(sign());
      } catch (error) {
        reject(error);
      }
    }
  }

  return (sign) =>
    new Promise((resolve, reject) => {
      waiting.push({ sign, resolve, reject });
      if (waiting.length === 1) schedule(makeAll);
    });
}
