import { chmodSync, statSync } from 'node:fs';

/**
 * Sets the mode of a file or a folder if possible: the mode of a mounted secret, a Windows share or another user's
 * folder cannot be set.
 *
 * @returns whether the file or the folder has the mode
 */
export function setMode(path: string, mode: number): boolean {
  try {
    chmodSync(path, mode);
  } catch {
    // The mode is read below, so that the error does not matter.
  }
  return (statSync(path).mode & 0o777) === mode;
}

/** The code of an error of the file system, such as EACCES. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
