/**
 * Limits how often an action runs: a call that follows a run too soon is ignored.
 *
 * @param pause the least milliseconds between two runs
 * @param now milliseconds of a clock that never goes back
 */
export function atMostEvery<Arguments extends readonly unknown[]>(
  pause: number,
  now: () => number,
  act: (...given: Arguments) => void,
): (...given: Arguments) => void {
  let last = -Infinity;
  return (...given) => {
    if (now() - last < pause) return;
    last = now();
    act(...given);
  };
}
