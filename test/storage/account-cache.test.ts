import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '../../src/domain/domain-error.ts';
import type { ClientId, CompanyId } from '../../src/domain/ids.ts';
import type { AccountSnapshot } from '../../src/domain/service-accounts/service-account.ts';
import { createAccountCache } from '../../src/storage/account-cache.ts';

const ID = 'sa_one' as ClientId;

/** A cache with a clock, a database and a connection to it in the test's hands. */
function setUp(maxStaleness = 900_000) {
  const world = {
    now: 0,
    lastAnswer: 0,
    version: 'one' as string | undefined,
    loads: 0,
    outcomes: [] as string[],
    database: 'up' as 'up' | 'down' | 'silent' | 'broken',
  };
  const cache = createAccountCache({
    async load() {
      world.loads += 1;
      if (world.database === 'down') throw new DomainError('unavailable', 'down');
      if (world.database === 'broken') throw new Error('column does not exist');
      if (world.database === 'silent') await new Promise(() => {});
      const { version } = world;
      await new Promise((later) => setImmediate(later));
      return version === undefined ? undefined : ({ account: { name: version } } as AccountSnapshot);
    },
    lastAnswer: () => world.lastAnswer,
    now: () => world.now,
    maxStaleness,
    onOutcome: (outcome) => world.outcomes.push(outcome),
  });
  const find = async (): Promise<string | undefined> => (await cache.find(ID))?.account.name;
  const pass = (milliseconds: number, reaching = true): void => {
    world.now += milliseconds;
    if (reaching) world.lastAnswer = world.now;
  };
  return { world, cache, find, pass };
}

describe('accounts in memory', () => {
  test('are asked for once, and then not again while the database answers', async () => {
    const { world, find, pass } = setUp();
    for (let round = 0; round < 5; round += 1) {
      assert.equal(await find(), 'one');
      pass(10_000);
    }
    assert.equal(world.loads, 1);
    assert.deepEqual(world.outcomes, ['loaded', 'hit', 'hit', 'hit', 'hit']);
  });

  test('are asked for once by many at the same time', async () => {
    const { world, find } = setUp();
    assert.deepEqual(await Promise.all([find(), find(), find()]), ['one', 'one', 'one']);
    assert.equal(world.loads, 1);
  });

  test('that do not exist are remembered too, until they do', async () => {
    const { world, cache, find } = setUp();
    world.version = undefined;
    assert.deepEqual([await find(), await find()], [undefined, undefined]);
    assert.equal(world.loads, 1);
    world.version = 'one';
    cache.changed({ kind: 'account', clientId: ID });
    assert.equal(await find(), 'one');
  });

  test('are looked at anew after a change, of theirs or of everyone', async () => {
    const { world, cache, find } = setUp();
    for (const [index, kind] of (['account', 'everyone'] as const).entries()) {
      await find();
      world.version = `version ${index}`;
      cache.changed(kind === 'account' ? { kind, clientId: ID } : { kind });
      assert.equal(await find(), `version ${index}`);
    }
  });

  test('B-27 are not kept as they were read when a change came meanwhile', async () => {
    const { world, cache, find } = setUp();
    for (const kind of ['account', 'everyone'] as const) {
      const before = find();
      world.version = `after ${kind}`;
      cache.changed(kind === 'account' ? { kind, clientId: ID } : { kind });
      await before;
      assert.equal(await find(), `after ${kind}`);
      cache.changed({ kind: 'account', clientId: ID });
    }
  });

  describe('of a company that changed', () => {
    const [A, B] = ['sa_a', 'sa_b'] as [ClientId, ClientId];
    function companies() {
      const loads: ClientId[] = [];
      let finish = (): void => {};
      let held = false;
      const cache = createAccountCache({
        async load(clientId) {
          loads.push(clientId);
          if (held) await new Promise<void>((resolve) => (finish = resolve));
          return { account: { company: clientId === A ? 'a' : 'b' } } as AccountSnapshot;
        },
        lastAnswer: () => 0,
        now: () => 0,
        maxStaleness: 1000,
        onOutcome: () => {},
      });
      const hold = (): void => void (held = true);
      return { cache, loads, hold, finish: () => finish() };
    }
    const changed = { kind: 'everyone', company: 'a' as CompanyId } as const;

    test('are looked at anew, and no others', async () => {
      const { cache, loads } = companies();
      for (const clientId of [A, B]) await cache.find(clientId);
      cache.changed(changed);
      for (const clientId of [A, B]) await cache.find(clientId);
      assert.deepEqual(loads, [A, B, A]);
      cache.changed({ kind: 'everyone' });
      for (const clientId of [A, B]) await cache.find(clientId);
      assert.deepEqual(loads, [A, B, A, A, B]);
    });

    test('B-27 are not kept as they were read when the change came meanwhile', async () => {
      const { cache, loads, hold, finish } = companies();
      hold();
      for (const [clientId, times] of [
        [A, 2],
        [B, 1],
      ] as const) {
        const found = cache.find(clientId);
        cache.changed(changed);
        finish();
        await found;
        const again = cache.find(clientId);
        finish();
        await again;
        assert.equal(loads.filter((loaded) => loaded === clientId).length, times);
      }
    });
  });

  test('make room by the bytes that they take', async () => {
    const loads: ClientId[] = [];
    const cache = createAccountCache({
      load(clientId) {
        loads.push(clientId);
        return Promise.resolve({ account: { company: undefined } } as AccountSnapshot);
      },
      lastAnswer: () => 0,
      now: () => 0,
      maxStaleness: 1000,
      onOutcome: () => {},
      sizeOf: () => 100 * 1024 * 1024,
    });
    const ids = ['sa_1', 'sa_2', 'sa_3'] as ClientId[];
    for (const clientId of ids) await cache.find(clientId);
    assert.deepEqual(
      ids.map((clientId) => cache.remembers(clientId)),
      [false, true, true],
    );
  });

  test('B-27 are looked at anew after a second in which this node would not have heard of a change', async () => {
    const { world, find, pass } = setUp();
    await find();
    world.version = 'two';
    pass(1000, false);
    assert.equal(await find(), 'one');
    pass(1, false);
    assert.equal(await find(), 'two');
    // What has just been looked at is good for another second.
    world.version = 'three';
    pass(1000, false);
    assert.equal(await find(), 'two');
    pass(1, false);
    assert.equal(await find(), 'three');
  });

  test('B-27 are looked at anew when changes may have gone unheard', async () => {
    const { world, cache, find, pass } = setUp();
    await find();
    world.version = 'two';
    pass(5000);
    cache.missed(0);
    assert.equal(await find(), 'two');
  });

  test('are served as they were while the database is away, for as long as they may be', async () => {
    const { world, find, pass } = setUp(60_000);
    await find();
    pass(30_000);
    world.database = 'down';
    pass(60_000, false);
    assert.equal(await find(), 'one');
    assert.equal(world.outcomes.at(-1), 'stale');
    pass(1, false);
    await assert.rejects(find(), { code: 'unavailable' });
  });

  test('are not served as they were when the database answers with a fault', async () => {
    const { world, find, pass } = setUp(60_000);
    await find();
    world.database = 'broken';
    pass(2000, false);
    await assert.rejects(find(), { message: 'column does not exist' });
    assert.equal(world.outcomes.includes('stale'), false);
    // It answers, so it is asked again at once.
    world.database = 'up';
    assert.equal(await find(), 'one');
  });

  test('that may have changed unheard are served no longer than since they were known', async () => {
    const { world, cache, find, pass } = setUp(60_000);
    await find();
    pass(30_000);
    pass(20_000, false);
    cache.missed(30_000);
    world.lastAnswer = world.now;
    world.database = 'down';
    pass(40_000, false);
    assert.equal(await find(), 'one');
    pass(1, false);
    await assert.rejects(find(), { code: 'unavailable' });
  });

  test('that are not known cannot be had while the database is away', async () => {
    const { world, find, pass } = setUp();
    world.database = 'down';
    await assert.rejects(find(), { code: 'unavailable' });
    world.database = 'silent';
    pass(2000, false);
    await assert.rejects(find(), { code: 'unavailable' });
  });

  test('are not waited for again and again while the database says nothing', async () => {
    const { world, find, pass } = setUp();
    await find();
    world.database = 'silent';
    pass(2000, false);
    assert.equal(await find(), 'one');
    const { loads } = world;
    assert.deepEqual(await Promise.all([find(), find(), find()]), ['one', 'one', 'one']);
    assert.equal(world.loads, loads);
  });

  test('C-08 are remembered in a bounded number, and unknown ids drive none of them out', async () => {
    const { world, cache, find } = setUp();
    await find();
    world.version = undefined;
    for (let index = 0; index < 30_000; index += 1) await cache.find(`sa_${index}` as ClientId);
    world.version = 'two';
    const { loads } = world;
    assert.equal(await find(), 'one');
    assert.equal(world.loads, loads);
    await cache.find('sa_0' as ClientId);
    assert.equal(world.loads, loads + 1);
  });
});
