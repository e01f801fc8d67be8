import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTurns, LineTooLongError } from '../../src/pacing/take-turns.ts';

/** Creates work that begins when its turn comes, and ends when the test ends it. */
function setUp(turns: Parameters<typeof createTurns>[0]) {
  const takeTurns = createTurns(turns);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (key: string, name: string): Promise<string> =>
    takeTurns(key, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((later) => setImmediate(later));
  };
  return { takeTurns, begun, ask, end };
}

describe('work that takes turns', () => {
  test('runs a few tasks of one key at once, and tasks of another key beside them', async () => {
    const { begun, ask, end } = setUp({ each: 2, all: 3, line: 10 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) void ask('a', name);
    void ask('b', 'b1');
    void ask('b', 'b2');
    assert.deepEqual(begun, ['a1', 'a2', 'b1']);
    await end('a1');
    await end('a2');
    await end('b1');
    // The tasks follow one after the other, and the keys take turns.
    assert.deepEqual(begun, ['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
  });

  test('refuses a task that would wait behind too many tasks of its key', async () => {
    const { begun, ask, end } = setUp({ each: 1, all: 2, line: 1 });
    void ask('a', 'a1');
    void ask('a', 'a2');
    await assert.rejects(ask('a', 'a3'), LineTooLongError);
    void ask('b', 'b1');
    assert.deepEqual(begun, ['a1', 'b1']);
    await end('a1');
    assert.deepEqual(begun, ['a1', 'b1', 'a2']);
  });

  test('fails with the error of its task, and continues with the next task', async () => {
    const { takeTurns } = setUp({ each: 1, all: 1, line: 10 });
    const failed = takeTurns('a', () => Promise.reject(new Error('broken')));
    const next = takeTurns('a', () => Promise.resolve('done'));
    await assert.rejects(failed, /broken/);
    assert.equal(await next, 'done');
  });
});
