import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { violations } from './house-rules.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the house rules', () => {
  test('are kept by every file', () => {
    const files = globSync(['{src,test,bench,conformance,migrations}/**/*.ts', 'src/storage/functions/*.sql'], {
      cwd: ROOT,
    });
    assert.ok(files.length > 400, String(files.length));
    const broken = files.flatMap((file) =>
      violations(file, readFileSync(join(ROOT, file), 'utf8')).map((violation) => `${file}: ${violation}`),
    );
    assert.deepEqual(broken, []);
  });

  /** The name of a fault, a path, code with the fault in this file, and code without it. */
  const examples: readonly (readonly [string, string, string, string])[] = [
    [
      'randomness by name',
      'src/domain/x.ts',
      `import { randomBytes } from 'node:crypto';`,
      `import { createHash } from 'node:crypto';`,
    ],
    [
      'randomness under another name',
      'src/oauth/x.ts',
      `import { createHash, randomFillSync as fill } from 'node:crypto';`,
      `import { createHmac } from 'node:crypto';`,
    ],
    [
      'randomness by a default import',
      'src/domain/x.ts',
      `import crypto from 'node:crypto';`,
      `import { timingSafeEqual } from 'node:crypto';`,
    ],
    [
      'randomness by a namespace import',
      'src/x.ts',
      `import * as all from 'node:crypto';`,
      `import { random } from './random.ts';`,
    ],
    ['randomness by import()', 'src/x.ts', `await import('node:crypto');`, `await import('./random.ts');`],
    [
      'randomness of globalThis',
      'src/domain/x.ts',
      'globalThis.crypto.getRandomValues(a);',
      'globalThis.setTimeout(a, 1);',
    ],
    ['a global by a computed member', 'src/domain/x.ts', `globalThis['process'].exit();`, 'a.process();'],
    [
      'a builtin without node:',
      'src/config/x.ts',
      `import { readFileSync } from 'fs';`,
      `import { readFileSync } from 'node:fs';`,
    ],
    [
      'a sub-path of a builtin without node:',
      'src/config/x.ts',
      `import { readFile } from 'fs/promises';`,
      `import { readFile } from 'node:fs/promises';`,
    ],
    [
      'a sub-path that is not public',
      'src/management/x.ts',
      `import a from 'ajv/dist/core.js';`,
      `import a from 'ajv/dist/2020.js';`,
    ],
    ['a package that is no dependency', 'src/storage/x.ts', `import types from 'pg-types';`, `import pg from 'pg';`],
    [
      'a development package in the source',
      'src/domain/x.ts',
      `import fc from 'fast-check';`,
      `import { jwtVerify } from 'jose';`,
    ],
    [
      'a type of a package that is no dependency',
      'src/oauth/x.ts',
      `export type { X } from 'keygrip';`,
      `export type { Y } from './y.ts';`,
    ],
    [
      'process by import',
      'src/observability/logger.ts',
      `import process from 'node:process';`,
      `import { pino } from 'pino';`,
    ],
    [
      'a part of process by import',
      'src/observability/logger.ts',
      `import { exit } from 'node:process';`,
      `import { hostname } from 'node:os';`,
    ],
    [
      'a database driver outside the storage',
      'src/app.ts',
      `import knex from 'knex';`,
      `import { createFaces } from './create-faces.ts';`,
    ],
    [
      'a file of the storage outside the storage',
      'src/app.ts',
      `import { x } from './storage/change-feed.ts';`,
      `import { x } from './janitor.ts';`,
    ],
    ['a computed import', 'src/main.ts', 'await import(name);', `await import('./app.ts');`],
    ['require', 'src/main.ts', `const a = require('pg');`, 'const a = required;'],
    ['new Date()', 'src/domain/x.ts', 'new Date();', 'new Date(0);'],
    ['new Date', 'src/domain/x.ts', 'const a = new Date;', 'const a = new Data;'],
    ['Date()', 'src/domain/x.ts', 'const a = Date();', 'const a = Dated();'],
    ['Date.now', 'src/domain/x.ts', 'Date.now();', 'Date.parse(a);'],
    ['Temporal.Now', 'src/domain/x.ts', 'Temporal.Now.instant();', 'Temporal.Instant.from(a);'],
    ['a catch that swallows', 'src/http/x.ts', 'try { a(); } catch {}', 'try { a(); } catch { b(); }'],
    [
      'a catch that swallows an error',
      'src/http/x.ts',
      'try { a(); } catch (error) { }',
      'try { a(); } catch { /* It is there. */ }',
    ],
    ['.catch that swallows', 'src/http/x.ts', 'a.catch(() => {});', 'a.catch(unheeded);'],
    [
      'a query that does not name a company',
      'src/storage/x.ts',
      'const a = `select * from service_accounts where client_id = ?`;',
      'const a = `select * from service_accounts where company_id = ?`;',
    ],
    [
      'a join that does not name a company',
      'src/storage/x.ts',
      `const a = 'select 1 from last_uses join credentials using (credential_id)';`,
      `// Rows of all: the key says which.\nconst a = 'select 1 from last_uses join credentials using (credential_id)';`,
    ],
    [
      'an update that does not name a company',
      'src/storage/x.ts',
      'const a = `update grants set name = ${b}`;',
      'const a = `update last_uses set name = ${b}`;',
    ],
    [
      'a function that does not name a company',
      'src/storage/functions/x.sql',
      '-- Of a company_id.\ncreate or replace view x as select from credentials',
      'create or replace view x as select from credentials where company_id = 1',
    ],
    [
      'a sentence without a subject',
      'src/http/x.ts',
      '// Whoever asks is told.',
      '// The caller is told what it asks for.',
    ],
    [
      'a parameter without a subject',
      'src/http/x.ts',
      '/** Reads a body. @param limit What it may be. */',
      '/** Reads a body. @param limit the most bytes. */',
    ],
    [
      'a sentence of two lines without a subject',
      'src/http/x.ts',
      '// It is late.\n// What ends is over.',
      '// It is clear\n// What ends is over.',
    ],
    [
      'a sentence without a subject in SQL',
      'src/storage/functions/x.sql',
      '-- Those that are read.\nselect 1',
      '-- The rows that are read.\nselect 1',
    ],
    ['a skipped test', 'test/x.test.ts', `test.skip('a', () => {});`, `test('a', () => {});`],
    [
      'a skipped suite',
      'test/x.test.ts',
      `describe('a', { skip: true }, () => {});`,
      `describe('a', { skip: !hasCurl }, () => {});`,
    ],
    [
      'a test that is skipped for a reason',
      'test/x.test.ts',
      `test('a', { skip: 'later' }, () => {});`,
      `test('a', { skip: !hasCurl && 'needs curl' }, () => {});`,
    ],
    ['a test that is marked as todo', 'test/x.test.ts', `test.todo('a');`, `test('a', () => {});`],
    [
      'a suite that is marked as the only one',
      'test/x.test.ts',
      `describe.only('a', () => {});`,
      `describe('a', () => {});`,
    ],
    ['a test that skips itself', 'test/x.test.ts', `test('a', (t) => t.skip());`, `test('a', (t) => t.after(b));`],
  ];

  for (const [name, path, bad, good] of examples) {
    test(`find ${name}`, () => {
      assert.equal(violations(path, bad).length, 1, violations(path, bad).join());
      assert.deepEqual(violations(path, good), []);
    });
  }
});
