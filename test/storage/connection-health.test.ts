import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import type pg from 'pg';
import { createConnectionHealth } from '../../src/storage/connection-health.ts';

type Callback = (error: unknown) => void;

/** The part of a connection of the driver that is watched. The test decides when it answers. */
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

describe('a silent connection', () => {
  test('is given up, together with connections that have not answered since its statement, and no others', () => {
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

  test('is kept while a statement waits on it, because the statement has its own time limit', () => {
    const { health, connect, at } = setUp();
    const [busy, idle] = [connect(), connect()];
    busy.ask();
    at(10);
    health.giveUpSilent(10);
    assert.deepEqual([busy.fake.isDestroyed, idle.fake.isDestroyed], [false, true]);
  });
});
