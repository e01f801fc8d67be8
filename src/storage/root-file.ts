import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes the first root account's id and secret to `root.json` in the keys folder, mode 0600.
 *
 * @returns the path of the file
 */
export function writeRootFile(
  folder: string,
  content: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string },
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'root.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return file;
}
