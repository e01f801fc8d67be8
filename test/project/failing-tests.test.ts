import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

describe('the test command', () => {
  test('fails when a test fails, also with all modules of the setup of this suite', () => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-failing-'));
    const file = join(folder, 'failing.test.mjs');
    const setup = join(import.meta.dirname, '../support/embedded-postgres.ts');
    // The inner test command must not take itself for a part of this test run.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = (body: string): number | null => {
      writeFileSync(file, `import { test } from 'node:test'; test('one', () => { ${body} });`);
      return spawnSync(process.execPath, ['--test', `--test-global-setup=${setup}`, file], { env }).status;
    };
    try {
      assert.equal(run(''), 0);
      assert.equal(run(`throw new Error('failed')`), 1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
