import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Knex } from 'knex';

/** A file for each function and each view, with the same name. */
const FOLDER = join(import.meta.dirname, 'functions');

/**
 * Makes the functions whose text is new, after the tables that they need. Two releases share a database while one takes the
 * place of the other, and either may start last: a function that comes to mean something else gets another name, and a
 * migration of a later release drops the old one.
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
    // A question mark in it is one, and stands for no parameter.
    await transaction.raw(text.replaceAll('?', String.raw`\?`));
    await transaction('made_functions').insert({ name, digest }).onConflict('name').merge();
  }
}
