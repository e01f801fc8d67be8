import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSync, Visitor } from 'oxc-parser';
import { analyse } from 'scslre';

const ROOT = join(import.meta.dirname, '../..');

interface Found {
  readonly source: string;
  readonly flags: string;
  readonly at: string;
}

/** Finds every regular expression in the source: literals, and strings that are patterns of a JSON schema. */
function regularExpressions(): Found[] {
  const found: Found[] = [];
  for (const file of globSync('src/**/*.ts', { cwd: ROOT })) {
    const { program } = parseSync(file, readFileSync(join(ROOT, file), 'utf8'));
    new Visitor({
      Literal(node) {
        if ('regex' in node) found.push({ source: node.regex.pattern, flags: node.regex.flags, at: file });
        else if (typeof node.value === 'string' && /^\^.*\$$/.test(node.value)) {
          found.push({ source: node.value, flags: 'u', at: file });
        }
      },
    }).visit(program);
  }
  return found;
}

test('C-07 no regular expression takes more than linear time', () => {
  const all = regularExpressions();
  assert.ok(all.length > 30, `${all.length} found`);
  for (const { source, flags, at } of all) {
    const { reports } = analyse({ source, flags });
    assert.deepEqual(
      reports.map(({ type, exponential }) => ({ type, exponential })),
      [],
      `${at}: /${source}/${flags}`,
    );
  }
  // The analysis finds expressions that are slow.
  assert.notDeepEqual(analyse({ source: '^(a+)+$', flags: '' }).reports, []);
  assert.notDeepEqual(analyse({ source: '\\s*,', flags: '' }).reports, []);
});
