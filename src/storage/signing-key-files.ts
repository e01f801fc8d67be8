import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type SigningKeyFile, SigningKeyFileError } from '../domain/signing-keys/import-signing-keys.ts';
import { fileErrorCode, foreignMode } from './file-mode.ts';

const FOLDER = 'signing-keys';

/**
 * Reads the files of signing keys that are to be imported, in the order in which they were written, and those of one
 * time by name.
 *
 * @param keysDirectory the keys folder
 * @param warn told of a file that others may read and whose mode cannot be set
 * @throws SigningKeyFileError for a file that others may read, or that cannot be read
 */
export function readSigningKeyFiles(keysDirectory: string, warn: (text: string) => void): readonly SigningKeyFile[] {
  const folder = join(keysDirectory, FOLDER);
  return names(folder)
    .filter((name) => name.endsWith('.pem'))
    .map((name) => read(join(folder, name), warn))
    .toSorted((one, other) => one.changedAt.getTime() - other.changedAt.getTime() || (one.name < other.name ? -1 : 1));
}

function names(folder: string): string[] {
  // Most servers import no key, and some have a keys folder that they cannot look into.
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new SigningKeyFileError(`${folder} cannot be read (${fileErrorCode(error)})`, { cause: error });
  }
}

function read(path: string, warn: (text: string) => void): SigningKeyFile & { readonly changedAt: Date } {
  try {
    const { mode, mtime } = statSync(path);
    const refused = foreignMode(path, mode, warn);
    if (refused !== undefined) throw new SigningKeyFileError(refused);
    return { path, name: basename(path, '.pem'), pem: readFileSync(path, 'utf8'), changedAt: mtime };
  } catch (error) {
    if (error instanceof SigningKeyFileError) throw error;
    throw new SigningKeyFileError(`${path} cannot be read (${fileErrorCode(error)})`, { cause: error });
  }
}
