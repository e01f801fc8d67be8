import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { anchorsOf, brokenLinks, type Pages, reachable } from './links.ts';

const ROOT = join(import.meta.dirname, '../..');
/** The pages from which links must lead to every page that a reader may need. */
const STARTS = ['README.md'];
/** The folders whose pages must be reachable. */
const REACHABLE = ['docs/'];

const PAGES: Pages = new Map(
  globSync('**/*.md', { cwd: ROOT, exclude: ['node_modules', 'data', 'coverage'] }).map((path) => [
    path,
    readFileSync(join(ROOT, path), 'utf8'),
  ]),
);

describe('the links of the pages', () => {
  test('lead to files that exist, and to headings that these have', () => {
    assert.ok(PAGES.size > 10, String(PAGES.size));
    assert.deepEqual(
      brokenLinks(PAGES, (path) => existsSync(join(ROOT, path))),
      [],
    );
  });

  test('lead to every page', () => {
    const found = reachable(PAGES, STARTS);
    const lost = [...PAGES.keys()].filter((page) => REACHABLE.some((folder) => page.startsWith(folder)));
    assert.deepEqual(
      lost.filter((page) => !found.has(page)),
      [],
    );
  });
});

describe('the pages for developers', () => {
  const spans = [...PAGES]
    .filter(([page]) => page === 'CONTRIBUTING.md' || page.startsWith('docs/'))
    .flatMap(([page, text]) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => ({ page, span })));

  test('name files that exist', () => {
    const paths = spans.filter(({ span }) => /^(?:bench|conformance|docs|migrations|src|test)\/[\w./-]+$/.test(span));
    assert.ok(paths.length > 50, String(paths.length));
    assert.deepEqual(
      paths.filter(({ span }) => !existsSync(join(ROOT, span))),
      [],
    );
  });

  test('name tests that the named files have', () => {
    const held = [...PAGES].flatMap(([page, text]) =>
      [...text.matchAll(/^.*Held by .*"(.+?)".*$/gm)].map(([line, name = '']) => ({ page, line, name })),
    );
    assert.ok(held.length > 3, String(held.length));
    for (const { page, line, name } of held) {
      const files = [...line.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) =>
        readFileSync(join(ROOT, file), 'utf8'),
      );
      assert.ok(
        files.some((file) => file.includes(name)),
        `${page}: no named file has the test "${name}"`,
      );
    }
  });
});

describe('the search for broken links', () => {
  const broken = (text: string): string[] =>
    brokenLinks(
      new Map([
        ['docs/a.md', text],
        ['docs/b.md', '# One\n\n## Two words\n'],
      ]),
      (path) => ['docs', 'docs/a.md', 'docs/b.md', 'src/x.ts'].includes(path),
    );

  test('finds a file or a heading that does not exist', () => {
    for (const link of [
      '[c](c.md)',
      '[c](../b.md)',
      '[b](b.md#three)',
      '[b](b.md#Two-words)',
      '[x](../src/x.ts#one)',
      '[here](#nowhere)',
      '[b][r]\n\n[r]: c.md',
      '[![b](c.png)](b.md)',
    ]) {
      assert.equal(broken(`# A\n\n${link}\n`).length, 1, link);
    }
  });

  test('takes links to files, folders and headings that exist, and no code for a link', () => {
    for (const link of [
      '[b](b.md)',
      '[b](b.md#two-words)',
      '[b](<b.md#one> "title")',
      '[docs](../docs/)',
      '[x](../src/x.ts)',
      '[here](#a)',
      '[web](https://example.com/c.md#three)',
      '`[c](c.md)`',
      '```\n[c](c.md)\n```',
      'Code:\n\n    [c](c.md)\n',
    ]) {
      assert.deepEqual(broken(`# A\n\n${link}\n`), [], link);
    }
  });

  test('makes anchors as GitHub does', () => {
    const text =
      '# A `code` & more: P-1, x/y_z\n\n## [Link](b.md)\n## Same\n## Same\n### Über uns\n```\n# no heading\n```\n';
    assert.deepEqual([...anchorsOf(text)], ['a-code--more-p-1-xy_z', 'link', 'same', 'same-1', 'über-uns']);
  });

  test('follows links from page to page', () => {
    const pages = new Map([
      ['README.md', '[a](docs/a.md)'],
      ['docs/a.md', '[b](b.md#x) [web](https://example.com)'],
      ['docs/b.md', '[a](a.md)'],
      ['docs/c.md', '[a](a.md)'],
    ]);
    assert.deepEqual([...reachable(pages, ['README.md'])], ['README.md', 'docs/a.md', 'docs/b.md']);
  });
});
