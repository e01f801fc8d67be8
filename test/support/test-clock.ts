/** The clock of a server under test. */
export interface TestClock {
  (): Date;
  forward(milliseconds: number): void;
  /** Stops the clock: times that count from now are exact to the second on any machine. */
  stop(): void;
  /** Starts the clock again, at the current time. */
  go(): void;
}

/** Creates a clock that runs until it is stopped. */
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
