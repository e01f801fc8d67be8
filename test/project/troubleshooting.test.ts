import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REFUSAL_REASONS } from '../../src/domain/activity/refusal.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');
const [page = '', inLogOnly = ''] = PAGE.split('## In the log only');

test('the page on refused clients explains every reason, each once, and no other', () => {
  const explained = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, reason]) => reason);
  assert.deepEqual(explained.toSorted(), REFUSAL_REASONS.toSorted());
});

test('the page explains the reasons for access tokens that only the log has', () => {
  const files = [
    'src/domain/possession/check-presentation.ts',
    'src/domain/tokens/find-exchanged.ts',
    'src/oauth/endpoints/token-info.ts',
    'src/oauth/endpoints/token-gate.ts',
    'src/management/authenticate.ts',
  ];
  const logged = files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/'((?:token|credential|proof|certificate)_[a-z]+)'/g)].map(
      ([, reason]) => reason,
    ),
  );
  const explained = [...inLogOnly.matchAll(/^\| `(\w+)` /gm)].map(([, reason]) => reason);
  assert.deepEqual(explained.toSorted(), [...new Set(logged)].toSorted());
});
