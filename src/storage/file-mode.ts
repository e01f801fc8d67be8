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

/**
 * Mode bits that no file with a secret may have. A group may read the file: a Kubernetes secret reaches a process that
 * is not root in this way.
 */
const FOREIGN = 0o027;

/**
 * Looks whether others may read or change a file with a secret. If its mode can be set, the file is to be refused: the
 * mode is set to find that out, and then set back, as the operator must learn that others could read the secret.
 *
 * @param warn told of a file whose mode cannot be set
 * @returns why the file is to be refused; undefined: it may be used
 */
export function foreignMode(file: string, mode: number, warn: (text: string) => void): string | undefined {
  const bits = mode & 0o777;
  if ((bits & FOREIGN) === 0) return undefined;
  if (setMode(file, 0o600)) {
    setMode(file, bits);
    return `${file} may be read or changed by others: chmod 600 it (of a Kubernetes secret, set defaultMode to 0400, or to 0440 with an fsGroup)`;
  }
  const octal = bits.toString(8).padStart(4, '0');
  warn(
    `${file} may be read or changed by others (mode ${octal}), which cannot be changed here: mount it with a narrower mode (of a Kubernetes secret, defaultMode 0400, or 0440 with an fsGroup)`,
  );
  return undefined;
}

/** The code of an error of the file system, such as EACCES. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
