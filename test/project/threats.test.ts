import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/development/threats.md'), 'utf8');
const ID = /\b[A-G]-\d\d\b/g;

/** The test files, without their endings, by the ids of threats in the names of their tests. */
function filesById(): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>();
  for (const file of globSync('**/*.{test,long}.ts', { cwd: join(ROOT, 'test') }).toSorted()) {
    if (file === 'project/threats.test.ts') continue;
    const name = file.replace(/\.test\.ts$/, '').replace(/\.long\.ts$/, ' (long)');
    for (const [id] of readFileSync(join(ROOT, 'test', file), 'utf8').matchAll(ID)) {
      files.set(id, (files.get(id) ?? new Set()).add(name));
    }
  }
  return files;
}

describe('the page of threats', () => {
  const rows = new Map(
    [...PAGE.matchAll(/^- \*\*([A-G]-\d\d)\*\* (.+)$/gm)].map(([, id = '', text = '']) => [id, text] as const),
  );

  test('has a row for every id in the name of a test, and names the files of the tests', () => {
    const held = [...filesById()].map(([id, files]) => [id, [...files].toSorted().join(', ')]);
    const named = [...rows].flatMap(([id, text]) => {
      const [, files] = /Held by: (.+)\.$/.exec(text) ?? [];
      return files === undefined ? [] : [[id, files.split(', ').toSorted().join(', ')]];
    });
    assert.deepEqual(named.toSorted(), held.toSorted());
  });

  test('says of every other threat why no test has its id', () => {
    const open = [...rows].filter(([, text]) => !text.includes('Held by: '));
    const silent = open.filter(([, text]) => !/(?:Not built|No test has this id): .+\.$/.test(text));
    assert.deepEqual(silent, []);
  });

  test('has its rows in order, each once', () => {
    const ids = [...PAGE.matchAll(/^- \*\*([A-G]-\d\d)\*\*/gm)].map(([, id]) => id);
    assert.deepEqual(ids, [...new Set(ids)].toSorted());
    assert.equal(ids.length, 142);
  });
});
