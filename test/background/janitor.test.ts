import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startJanitor } from '../../src/background/janitor.ts';

const PAUSE = 30_000;

test('the janitor pauses when no work is left, continues at once while there is work, and survives a failure', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const results: (boolean | Error)[] = [];
  const failures: unknown[] = [];
  let rounds = 0;
  const janitor = startJanitor(
    async () => {
      rounds += 1;
      const result = results.shift() ?? false;
      await setImmediate();
      if (result instanceof Error) throw result;
      return result;
    },
    PAUSE,
    { failed: (event, error) => failures.push([event, error]) },
  );
  const pass = async (milliseconds: number): Promise<number> => {
    mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    return rounds;
  };

  assert.equal(await pass(PAUSE - 1), 0);
  assert.equal(await pass(1), 1);
  // An idle round is followed by a pause, and then by another round.
  assert.equal(await pass(PAUSE - 1), 1);
  assert.equal(await pass(1), 2);
  results.push(true, true, false);
  assert.equal(await pass(PAUSE), 3);
  assert.equal(await pass(0), 4);
  assert.equal(await pass(0), 5);
  assert.equal(await pass(PAUSE - 1), 5);
  const error = new Error('the database is away');
  results.push(error);
  assert.equal(await pass(1), 6);
  assert.deepEqual(failures, [['janitor.failed', error]]);
  assert.equal(await pass(PAUSE - 1), 6);
  assert.equal(await pass(1), 7);
  janitor.stop();
  assert.equal(await pass(10 * PAUSE), 7);
});
