import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOMS } from './rooms.ts';

const root = join(import.meta.dirname, '../..');

test('only system-clock.ts reads the time', () => {
  const readers = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => /new Date\(\)|Date\.now/.test(readFileSync(file, 'utf8')))
    .map((file) => file.slice(root.length + 1));
  assert.deepEqual(readers, ['src/start/system-clock.ts']);
});

test('the linter knows every room of the source, and only app.ts and main.ts stand outside the rooms', () => {
  const entries = readdirSync(join(root, 'src'), { withFileTypes: true });
  const named = (files: boolean): string[] => entries.filter((one) => one.isFile() === files).map(({ name }) => name);
  assert.deepEqual(named(false).toSorted(), Object.keys(ROOMS).toSorted());
  assert.deepEqual(named(true).toSorted(), ['app.ts', 'main.ts']);
});

test('no two files of the source have the same name', () => {
  const names = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
