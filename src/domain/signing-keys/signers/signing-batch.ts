/** Milliseconds for which one batch may hold the event loop. */
const LONGEST_HOLD = 2;

/** Makes a signature on the main thread, together with the other signatures of one turn of the event loop. */
export type SigningBatch = (sign: () => Uint8Array) => Promise<Uint8Array>;

interface Waiting {
  readonly sign: () => Uint8Array;
  readonly resolve: (signature: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the signatures of one turn of the event loop, and makes them in its check phase. A signature takes less time
 * than a hand-over to the thread pool and back. Signatures that are made together also let their answers leave
 * together, so the next turn finds more requests.
 *
 * @param now milliseconds of a clock that never goes back
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
