import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/development/database.md'), 'utf8');

/** The names in the first column of the first table under a heading of the page. */
function namesUnder(heading: string): string[] {
  const [, section = ''] = PAGE.split(`\n## ${heading}\n`);
  const [, table = ''] = /^((?:\|.*\n)+)/m.exec(section) ?? [];
  return [...table.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name).toSorted();
}

onEachDatabase(
  'the page of the database',
  (kind) => {
    const app = useTestApp(kind);

    test('has every table of a migrated database, each once, and no other', async () => {
      const { rows } = await app.knex.raw<{ rows: { name: string }[] }>(
        `select table_name as name from information_schema.tables
         where table_schema = current_schema() and table_type = 'BASE TABLE' and table_name not like 'knex%'`,
      );
      assert.deepEqual(namesUnder('Tables'), rows.map(({ name }) => name).toSorted());
    });

    test('names columns that exist, and every column whose name says that it is sealed or a hash', async () => {
      const { rows } = await app.knex.raw<{ rows: { name: string }[] }>(
        `select table_name || '.' || column_name as name from information_schema.columns
         where table_schema = current_schema() and column_name ~ 'seal|secret|hash|private'`,
      );
      const named = [...PAGE.matchAll(/^\| `(\w+\.\w+)` /gm)].map(([, name]) => name);
      // A maximum age of secrets is no secret.
      const secret = rows.map(({ name }) => name).filter((name) => name !== 'companies.secret_max_age');
      assert.deepEqual(named.toSorted(), secret.toSorted());
    });
  },
  newest,
);

describe('the page of the database', () => {
  const files = readdirSync(join(ROOT, 'src/storage/functions'));

  test('has every function of the database, each once, and no other', () => {
    assert.deepEqual(namesUnder('Functions'), files.map((file) => file.replace('.sql', '')).toSorted());
  });

  for (const file of files) {
    test(`names the callers of ${file} as the comment of the file does`, () => {
      const comment = readFileSync(join(ROOT, 'src/storage/functions', file), 'utf8')
        .split(/^create /m, 1)
        .join()
        .replaceAll(/\n-- ?/g, ' ');
      const [, said = ''] = /(?:called|read) by (.*?)\.(?:\s|$)/.exec(comment) ?? [];
      const callers = [...said.matchAll(/[a-z-]+\.ts|[a-z]+(?:_[a-z]+)+/g)].map(([caller]) => caller);
      const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${file.replace('.sql', '')}\` `));
      const named = [...(row?.split('|')[3] ?? '').matchAll(/`([\w.-]+)`/g)].map(([, caller]) => caller);
      assert.deepEqual(named.toSorted(), callers.toSorted());
    });
  }
});
