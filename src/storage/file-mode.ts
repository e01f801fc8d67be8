import { chmodSync, statSync } from 'node:fs';

/**
 * Sets the mode of a file or a folder, where that can be done: a mounted secret, a Windows share and somebody else's
 * folder have the mode that they have.
 *
 * @returns whether it has that mode now
 */
export function setMode(path: string, mode: number): boolean {
  try {
    chmodSync(path, mode);
  } catch {
    // The mode that it has says enough.
  }
  return (statSync(path).mode & 0o777) === mode;
}

/** The code of an error of the file system, such as EACCES. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
