import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/** A named block of code on a page: its name stands after the language. */
export interface Snippet {
  readonly name: string;
  readonly text: string;
}

/** Lists the named blocks of code of a page. @param page the path from the top of the repository */
export function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');
  return [...text.matchAll(/^```\w+ +(\S+)\n(.*?)^```$/gms)].map(([, name = '', code = '']) => ({ name, text: code }));
}

/**
 * Reads one block of code of a page.
 *
 * @param issuer the address of the server, which the page calls `http://localhost:3000`
 * @throws Error when the page does not have this name exactly once
 */
export function snippetOf(page: string, name: string, issuer: string): string {
  const [found, another] = snippetsOf(page).filter((snippet) => snippet.name === name);
  if (found === undefined || another !== undefined) throw new Error(`${page} does not have ${name} exactly once`);
  return found.text.replaceAll('localhost:3000', new URL(issuer).host);
}
