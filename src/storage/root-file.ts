import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorCode, setMode } from './file-mode.ts';

/** The first root account's secret cannot be written down. `message` tells the operator what to do. */
export class RootFileError extends Error {
  override readonly name = 'RootFileError';
}

/**
 * Writes the first root account's id and secret to `root.json` in the keys folder, mode 0600.
 *
 * @returns `file`: the path of the file; `closed`: whether the file has that mode
 * @throws RootFileError
 */
export function writeRootFile(
  folder: string,
  content: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string },
): { file: string; closed: boolean } {
  const file = join(folder, 'root.json');
  const draft = `${file}.new`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A draft that was left behind may have another mode.
    rmSync(draft, { force: true });
    writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flush: true });
    const closed = setMode(draft, 0o600);
    renameSync(draft, file);
    return { file, closed };
  } catch (error) {
    throw new RootFileError(
      `The secret of the first root account cannot be written to ${file} (${fileErrorCode(error)}), so no account was made: name a folder that can be written with WRIT_KEYS_DIR, or choose the secret yourself with WRIT_BOOTSTRAP_CLIENT_SECRET (openssl rand -hex 32 makes one) or a key with WRIT_BOOTSTRAP_PUBLIC_KEY`,
      { cause: error },
    );
  }
}
