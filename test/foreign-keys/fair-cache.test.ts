import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFairCache } from '../../src/foreign-keys/fair-cache.ts';

describe('a cache of many owners', () => {
  const setUp = () => {
    const cache = createFairCache<{ made: number }>({ all: 20, each: 5 });
    let made = 0;
    const get = (owner: string, name: string): number => cache.get(owner, name, () => ({ made: (made += 1) })).made;
    return { cache, get };
  };

  test('keeps a value for each owner and name', () => {
    const { get } = setUp();
    assert.deepEqual([get('a', 'x'), get('a', 'y'), get('b', 'x'), get('a', 'x'), get('b', 'x')], [1, 2, 3, 1, 3]);
  });

  test('D-04 lets an owner drive out its own values only, the oldest first', () => {
    const { cache, get } = setUp();
    assert.equal(get('b', 'x'), 1);
    for (let index = 0; index < 1000; index += 1) get('a', `${index}`);
    assert.equal(get('b', 'x'), 1);
    assert.equal(cache.size(), 6);
    assert.equal(get('a', '999'), 1001);
    assert.equal(get('a', '994'), 1002);
  });

  test('D-04 stays small with any number of owners', () => {
    const { cache, get } = setUp();
    for (let index = 0; index < 3000; index += 1) get(`${index % 700}`, `${index}`);
    assert.equal(cache.size(), 20);
    // The value that was asked for last stays.
    const kept = get('a', 'x');
    for (let index = 0; index < 19; index += 1) get(`other-${index}`, 'x');
    assert.equal(get('a', 'x'), kept);
    for (let index = 0; index < 20; index += 1) get(`another-${index}`, 'x');
    assert.notEqual(get('a', 'x'), kept);
  });
});
