/** How much of one kind of work is done at a time. */
export interface Turns {
  /** Pieces of work of one key at once, and of all together. */
  readonly each: number;
  readonly all: number;
  /** Pieces of work of one key that may wait. */
  readonly line: number;
}

/** As much waits for a key as may. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';
}

/** Runs work when its turn has come. */
export type TakeTurns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * Shares out what is scarce: no key has more than its part, however much it asks for, and the others go on.
 *
 * @returns runs work, or has it wait for others of its key or, in the order in which the keys come, of all; throws
 *   LineTooLongError
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
      // To the end of the line: the other keys come first after that.
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
      if (queue.length >= line) throw new LineTooLongError(`${line} wait already`);
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
