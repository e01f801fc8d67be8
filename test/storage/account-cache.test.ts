import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '../../src/domain/domain-error.ts';
import type { ClientId, CompanyId } from '../../src/domain/ids.ts';
import type { RememberedAccount } from '../../src/domain/service-accounts/remembered-account.ts';
import { createAccountCache } from '../../src/storage/account-cache.ts';

const ID = 'sa_one' as ClientId;
const ROOMY = { onEvicted: () => assert.fail('there is room'), sizeOf: () => 1, maxBytes: 1000 };

/** Creates a cache whose clock, database and connection the test controls. */
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
      return version === undefined ? undefined : ({ account: { audience: version } } as RememberedAccount);
    },
    lastAnswer: () => world.lastAnswer,
    now: () => world.now,
    maxStaleness,
    onOutcome: (outcome) => world.outcomes.push(outcome),
    ...ROOMY,
  });
  const find = async (): Promise<string | undefined> => (await cache.find(ID))?.account.audience;
  const pass = (milliseconds: number, reaching = true): void => {
    world.now += milliseconds;
    if (reaching) world.lastAnswer = world.now;
  };
  return { world, cache, find, pass };
}

describe('the cache of accounts', () => {
  test('reads an account once while the database keeps answering', async () => {
    const { world, find, pass } = setUp();
    for (let round = 0; round < 5; round += 1) {
      assert.equal(await find(), 'one');
      pass(10_000);
    }
    assert.equal(world.loads, 1);
    assert.deepEqual(world.outcomes, ['loaded', 'hit', 'hit', 'hit', 'hit']);
  });

  test('reads an account once for several requests at once', async () => {
    const { world, find } = setUp();
    assert.deepEqual(await Promise.all([find(), find(), find()]), ['one', 'one', 'one']);
    assert.equal(world.loads, 1);
  });

  test('remembers that an account does not exist, until the account is announced', async () => {
    const { world, cache, find } = setUp();
    world.version = undefined;
    assert.deepEqual([await find(), await find()], [undefined, undefined]);
    assert.equal(world.loads, 1);
    world.version = 'one';
    cache.changed({ kind: 'account', clientId: ID });
    assert.equal(await find(), 'one');
  });

  test('reads an account again after an announcement of the account or of everyone', async () => {
    const { world, cache, find } = setUp();
    for (const [index, kind] of (['account', 'everyone'] as const).entries()) {
      await find();
      world.version = `version ${index}`;
      cache.changed(kind === 'account' ? { kind, clientId: ID } : { kind });
      assert.equal(await find(), `version ${index}`);
    }
  });

  test('B-27 does not keep an account that was announced while it was read', async () => {
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

  describe('after the announcement of a company', () => {
    const [A, B] = ['sa_a', 'sa_b'] as [ClientId, ClientId];
    function companies() {
      const loads: ClientId[] = [];
      let finish = (): void => {};
      let held = false;
      const cache = createAccountCache({
        async load(clientId) {
          loads.push(clientId);
          if (held) await new Promise<void>((resolve) => (finish = resolve));
          return { account: { company: clientId === A ? 'a' : 'b' } } as RememberedAccount;
        },
        lastAnswer: () => 0,
        now: () => 0,
        maxStaleness: 1000,
        onOutcome: () => {},
        ...ROOMY,
      });
      const hold = (): void => void (held = true);
      return { cache, loads, hold, finish: () => finish() };
    }
    const changed = { kind: 'everyone', company: 'a' as CompanyId } as const;

    test('reads the accounts of that company again, and no others', async () => {
      const { cache, loads } = companies();
      for (const clientId of [A, B]) await cache.find(clientId);
      cache.changed(changed);
      for (const clientId of [A, B]) await cache.find(clientId);
      assert.deepEqual(loads, [A, B, A]);
      cache.changed({ kind: 'everyone' });
      for (const clientId of [A, B]) await cache.find(clientId);
      assert.deepEqual(loads, [A, B, A, A, B]);
    });

    test('B-27 does not keep an account of that company that was read meanwhile', async () => {
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

  test('drops accounts by the bytes that they take', async () => {
    let evicted = 0;
    const loads: ClientId[] = [];
    const cache = createAccountCache({
      load(clientId) {
        loads.push(clientId);
        return Promise.resolve({ account: { company: undefined } } as RememberedAccount);
      },
      lastAnswer: () => 0,
      now: () => 0,
      maxStaleness: 1000,
      onOutcome: () => {},
      onEvicted: () => (evicted += 1),
      sizeOf: () => 100,
      maxBytes: 250,
    });
    const ids = ['sa_1', 'sa_2', 'sa_3'] as ClientId[];
    for (const clientId of ids) await cache.find(clientId);
    assert.deepEqual(
      ids.map((clientId) => cache.remembers(clientId)),
      [false, true, true],
    );
    assert.deepEqual([evicted, cache.size()], [1, { accounts: 2, bytes: 200 }]);
    cache.changed({ kind: 'account', clientId: ids[2] ?? assert.fail() });
    assert.deepEqual([evicted, cache.size()], [1, { accounts: 1, bytes: 100 }]);
  });

  test('B-27 reads an account again after a second without an answer of the database', async () => {
    const { world, find, pass } = setUp();
    await find();
    world.version = 'two';
    pass(1000, false);
    assert.equal(await find(), 'one');
    pass(1, false);
    assert.equal(await find(), 'two');
    // An account that has just been read is served for another second.
    world.version = 'three';
    pass(1000, false);
    assert.equal(await find(), 'two');
    pass(1, false);
    assert.equal(await find(), 'three');
  });

  test('B-27 reads an account again when announcements may have been missed', async () => {
    const { world, cache, find, pass } = setUp();
    await find();
    world.version = 'two';
    pass(5000);
    cache.missed(0);
    assert.equal(await find(), 'two');
  });

  test('serves a remembered account while the database is away, for at most the maximum staleness', async () => {
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

  test('does not serve a remembered account when the database answers with a fault', async () => {
    const { world, find, pass } = setUp(60_000);
    await find();
    world.database = 'broken';
    pass(2000, false);
    await assert.rejects(find(), { message: 'column does not exist' });
    assert.equal(world.outcomes.includes('stale'), false);
    // The database answers, so that the cache asks it again at once.
    world.database = 'up';
    assert.equal(await find(), 'one');
  });

  test('counts the maximum staleness from the time until which announcements were heard', async () => {
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

  test('finds no account that it does not remember while the database is away', async () => {
    const { world, find, pass } = setUp();
    world.database = 'down';
    await assert.rejects(find(), { code: 'unavailable' });
    world.database = 'silent';
    pass(2000, false);
    await assert.rejects(find(), { code: 'unavailable' });
  });

  test('does not wait for a silent database again and again', async () => {
    const { world, find, pass } = setUp();
    await find();
    world.database = 'silent';
    pass(2000, false);
    assert.equal(await find(), 'one');
    const { loads } = world;
    assert.deepEqual(await Promise.all([find(), find(), find()]), ['one', 'one', 'one']);
    assert.equal(world.loads, loads);
  });

  test('C-08 keeps its accounts through a flood of unknown ids, of which it remembers a bounded number', async () => {
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
