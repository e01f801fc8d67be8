import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientId } from '../../src/domain/ids.ts';
import { loadInTurns } from '../../src/storage/load-in-turns.ts';

test('loadInTurns reads accounts of an unknown company two at a time', async () => {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const load = loadInTurns(async (clientId) => {
    begun.push(clientId);
    await new Promise<void>((resolve) => ends.push(resolve));
    return undefined;
  });
  const all = ['sa_1', 'sa_2', 'sa_3'].map((id) => load(id as ClientId));
  assert.deepEqual(begun, ['sa_1', 'sa_2']);
  ends[0]?.();
  await all[0];
  await new Promise((later) => setImmediate(later));
  assert.deepEqual(begun, ['sa_1', 'sa_2', 'sa_3']);
  for (const end of ends) end();
  await Promise.all(all);
});
