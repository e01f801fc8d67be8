import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REFUSAL_REASONS } from '../../src/domain/activity/refusal.ts';

test('the page on refused clients explains every reason, each once, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');
  const explained = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, reason]) => reason);
  assert.deepEqual(explained.toSorted(), REFUSAL_REASONS.toSorted());
});
