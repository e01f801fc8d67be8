import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import type pg from 'pg';
import { createConnectionHealth } from '../../src/storage/connection-health.ts';

type Callback = (error: unknown) => void;

/** As much of a connection of the driver as is watched; it answers when the test says so. */
class FakeConnection extends EventEmitter {
  readonly waiting: Callback[] = [];
  isDestroyed = false;
  readonly connection = { stream: { destroy: () => (this.isDestroyed = true) } };

  query(_query: object, callback: Callback): void {
    this.waiting.push(callback);
  }
}

function setUp() {
  let now = 0;
  const health = createConnectionHealth(() => now);
  const connect = (): { fake: FakeConnection; client: pg.Client; ask: () => void } => {
    const fake = new FakeConnection();
    const client = fake as unknown as pg.Client;
    health.watch(client);
    return { fake, client, ask: () => fake.query({}, () => {}) };
  };
  return { health, connect, at: (time: number) => (now = time) };
}

describe('connections that have fallen silent', () => {
  test('are given up with the one on which an answer was waited for in vain, and those that answered since are kept', () => {
    const { health, connect, at } = setUp();
    const [silent, idle, lively] = [connect(), connect(), connect()];
    at(10);
    silent.ask();
    at(20);
    lively.ask();
    lively.fake.waiting[0]?.(undefined);
    silent.fake.waiting[0]?.(new Error('Query read timeout'));
    assert.deepEqual(
      [silent, idle, lively].map(({ fake, client }) => [fake.isDestroyed, health.isUsable(client)]),
      [
        [true, false],
        [true, false],
        [false, true],
      ],
    );
  });

  test('are kept while a statement waits, which has a time limit of its own', () => {
    const { health, connect, at } = setUp();
    const [busy, idle] = [connect(), connect()];
    busy.ask();
    at(10);
    health.giveUpSilent(10);
    assert.deepEqual([busy.fake.isDestroyed, idle.fake.isDestroyed], [false, true]);
  });
});
