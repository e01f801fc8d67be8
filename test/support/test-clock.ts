/** The time as a server under test is told it. */
export interface TestClock {
  (): Date;
  forward(milliseconds: number): void;
  /** Stands still from now on, so that whatever is counted from now comes out to the second on any machine. */
  stop(): void;
  /** Shows again how late it is. */
  go(): void;
}

/** A clock that goes until it is stopped. */
export function testClock(): TestClock {
  let ahead = 0;
  let stoppedAt: number | undefined;
  return Object.assign(() => new Date((stoppedAt ?? Date.now()) + ahead), {
    forward(milliseconds: number) {
      ahead += milliseconds;
    },
    stop() {
      stoppedAt = Date.now();
    },
    go() {
      stoppedAt = undefined;
    },
  });
}
