import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COLUMNS } from '../../src/storage/credential-rows.ts';

test('registering an account fills the same columns of its credentials as adding a credential', () => {
  const file = join(import.meta.dirname, '../../src/storage/functions/register_service_account.sql');
  const insert = /insert into credentials \(([^)]*)\) select\s+([^;]*?)\s+from jsonb/.exec(readFileSync(file, 'utf8'));
  for (const list of [insert?.[1], insert?.[2]]) {
    assert.deepEqual(
      list?.split(',').map((column) => column.trim()),
      COLUMNS,
    );
  }
});
