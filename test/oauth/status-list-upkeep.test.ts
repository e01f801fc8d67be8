import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { RevokedEntries } from '../../src/domain/status/status-store.ts';
import type { StatusLists } from '../../src/oauth/status-lists.ts';
import { bitOf, startLists } from '../support/status-lists.ts';

const MINUTE = 60_000;

describe('the upkeep of status lists', () => {
  let now = Date.parse('2026-11-25T12:00:00Z');
  let looks: PromiseWithResolvers<RevokedEntries>[] = [];
  let failures: unknown[] = [];
  let lists: StatusLists;

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    looks = [];
    failures = [];
    lists = await startLists({
      store: {
        revoked() {
          const look = Promise.withResolvers<RevokedEntries>();
          looks.push(look);
          return look.promise;
        },
      },
      clock: () => new Date(now),
      onFailure: (error) => failures.push(error),
    });
  });
  afterEach(async () => {
    for (const { reject } of looks) reject(new Error('the test is over'));
    await lists.close();
    mock.timers.reset();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await setImmediate();
  }

  /** Lets time pass, and runs everything that is due. @returns how often the database was read so far */
  async function pass(milliseconds: number): Promise<number> {
    now += milliseconds;
    mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    return looks.length;
  }

  /** Answers a read of the database, and waits until the new lists are published. */
  async function answer(look: number, ...revoked: readonly number[]): Promise<string> {
    const { published } = lists;
    looks[look]?.resolve({ lists: 1, revoked: new Map([[0, Uint32Array.from(revoked)]]) });
    await until(() => lists.published !== published);
    return String(lists.published?.[0]?.jwt);
  }

  test('reads the lists every minute, and signs unchanged lists again before they expire', async () => {
    assert.equal(await pass(0), 1);
    const first = await answer(0, 7);
    assert.equal(await pass(MINUTE - 1), 1);
    for (let look = 1; look < 15; look += 1) {
      assert.equal(await pass(look === 1 ? 1 : MINUTE), look + 1);
      assert.equal(await answer(look, 7), first, `after ${look} minutes`);
    }
    await pass(MINUTE);
    const again = await answer(15, 7);
    assert.equal(decodeJwt(again).iat, (decodeJwt(first).iat ?? 0) + 900);
    assert.equal(decodeJwt(again).exp, Math.floor(now / 1000) + 3600);
    assert.equal(bitOf(again, 7), 1);
    assert.equal(failures.length, 0);
  });

  test('reads the lists again when something is revoked during a read', async () => {
    await pass(0);
    lists.refresh();
    lists.refresh();
    assert.equal(bitOf(await answer(0, 1), 2), 0);
    assert.equal(await pass(50), 1);
    // Another revocation does not delay the next read.
    lists.refresh();
    assert.equal(await pass(49), 1);
    // One read serves all the revocations.
    assert.equal(await pass(1), 2);
    assert.equal(bitOf(await answer(1, 1, 2), 2), 1);
    assert.equal(await pass(MINUTE - 1), 2);
  });

  test('reads the lists once for many revocations, and soon although more of them follow', async () => {
    await pass(0);
    await answer(0);
    for (let revocation = 0; revocation < 10; revocation += 1) {
      lists.refresh();
      await pass(9);
    }
    assert.equal(looks.length, 1);
    lists.refresh();
    assert.equal(await pass(10), 2);
  });

  test('reads the lists again a second after a failed read, and serves the old lists meanwhile', async () => {
    await pass(0);
    const first = await answer(0, 3);
    assert.equal(await pass(MINUTE), 2);
    looks[1]?.reject(new Error('the database is away'));
    await until(() => failures.length === 1);
    assert.equal(String(lists.published?.[0]?.jwt), first);
    assert.equal(await pass(999), 2);
    assert.equal(await pass(1), 3);
    assert.equal(bitOf(await answer(2, 4), 4), 1);
  });
});
