import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Knex } from 'knex';

/** The folder with a file for each function and each view. The file has the name of the function or the view. */
const FOLDER = join(import.meta.dirname, 'functions');

/**
 * Creates the functions whose text is new; the tables that they need must exist. Two releases share a database during
 * an upgrade, and a node of either may start last. So a function with a new meaning gets a new name, and a migration of
 * a later release drops the old function.
 */
export async function makeFunctions(transaction: Knex.Transaction): Promise<void> {
  const rows = await transaction<{ name: string; digest: string }>('made_functions').select('name', 'digest');
  const made = new Map(rows.map(({ name, digest }) => [name, digest]));
  for (const file of readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()) {
    const name = basename(file, '.sql');
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const digest = createHash('sha256').update(text).digest('base64url');
    if (made.get(name) === digest) continue;
    // The question marks of the text are escaped: they stand for no parameters.
    await transaction.raw(text.replaceAll('?', String.raw`\?`));
    await transaction('made_functions').insert({ name, digest }).onConflict('name').merge();
  }
}
