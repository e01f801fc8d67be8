/** How many pieces of one kind of work run at a time. */
export interface Turns {
  /** The most pieces of work of one key that run at once. */
  readonly each: number;
  /** The most pieces of work of all keys that run at once. */
  readonly all: number;
  /** The most pieces of work of one key that may wait. */
  readonly line: number;
}

/** As many pieces of work wait for the key as may wait. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

/** Runs a piece of work when its turn has come. @throws LineTooLongError */
export type TakeTurns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * Shares a scarce resource out among keys: no key gets more than its part, so that the work of other keys goes on.
 *
 * @returns a function that runs a piece of work at once, or lets it wait in the line of its key; the keys that wait
 *   take turns
 */
export function createTurns({ each, all, line }: Turns): TakeTurns {
  const running = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  let total = 0;

  const mayRun = (key: string): boolean => total < all && (running.get(key) ?? 0) < each;

  function begin(key: string): void {
    total += 1;
    running.set(key, (running.get(key) ?? 0) + 1);
  }

  function end(key: string): void {
    total -= 1;
    const left = (running.get(key) ?? 1) - 1;
    if (left === 0) running.delete(key);
    else running.set(key, left);
    for (const [next, queue] of waiting) {
      if (!mayRun(next)) continue;
      // The key moves to the end: the other keys come before its next piece of work.
      waiting.delete(next);
      const start = queue.shift();
      if (queue.length > 0) waiting.set(next, queue);
      start?.();
      if (total >= all) return;
    }
  }

  return async (key, work) => {
    if (mayRun(key) && !waiting.has(key)) begin(key);
    else {
      const queue = waiting.get(key) ?? [];
      if (queue.length >= line) throw new LineTooLongError(`${line} pieces of work wait already`);
      const turn = Promise.withResolvers<void>();
      queue.push(() => {
        begin(key);
        turn.resolve();
      });
      waiting.set(key, queue);
      await turn.promise;
    }
    try {
      return await work();
    } finally {
      end(key);
    }
  };
}
