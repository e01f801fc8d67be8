import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { format, resolveConfig } from 'prettier';
import { SECTIONS, withSections } from '../../docs/generate/generated-sections.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const PAGES = globSync('**/*.md', { cwd: DOCS }).map((name) => join(DOCS, name));

test('the generated sections of the pages say what the code says (npm run docs writes them)', async () => {
  for (const file of PAGES) {
    const page = readFileSync(file, 'utf8');
    assert.equal(page, await format(withSections(page), { ...(await resolveConfig(file)), filepath: file }), file);
  }
});

test('every generated section stands on one page', () => {
  const named = PAGES.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/<!-- generated: ([\w-]+) -->/g)].map(([, name]) => name),
  );
  assert.deepEqual(named.toSorted(), Object.keys(SECTIONS).toSorted());
});
