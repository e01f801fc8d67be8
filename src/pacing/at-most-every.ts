/**
 * Makes something happen now and then, however often it is asked for.
 *
 * @param pause milliseconds that lie between two times
 * @param now milliseconds, only ever forwards
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
