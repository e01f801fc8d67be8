/** Writes the generated sections of all pages anew: `npm run docs`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { withSections } from './generated-sections.ts';

const DOCS = join(import.meta.dirname, '..');

for (const name of globSync('**/*.md', { cwd: DOCS })) {
  const file = join(DOCS, name);
  const page = readFileSync(file, 'utf8');
  const written = await format(withSections(page), { ...(await resolveConfig(file)), filepath: file });
  if (written !== page) writeFileSync(file, written);
}
