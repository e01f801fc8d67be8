import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setMode } from './file-mode.ts';

/** Another process has the data folder open. `message` names the process. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/** The process that holds a data folder, for the message that a second process prints. */
export interface FolderOwner {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
}

/**
 * Takes the one lock of a data folder, or fails at once: two processes with the same folder would destroy the data.
 *
 * The kernel holds the lock, on a file that SQLite locks. The lock is free as soon as its holder dies, holds while its
 * holder is only stopped, and is seen from every container that mounts the folder. A process id in a file could do none
 * of this: the process id beside the lock is only for the message.
 *
 * @returns a function that releases the lock
 * @throws DataFolderInUseError
 */
export function lockDataFolder(folder: string, owner: FolderOwner): () => void {
  const ownerFile = join(folder, 'owner.json');
  const lockFile = join(folder, 'lock.sqlite');
  make(lockFile);
  const lock = new DatabaseSync(lockFile);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new DataFolderInUseError(
      `The data folder ${folder} is open in another process${nameOwner(ownerFile)}. The embedded database serves one process: stop the other process first, or use PostgreSQL.`,
      { cause: error },
    );
  }
  writeFileSync(ownerFile, JSON.stringify(owner), { mode: 0o600 });
  return () => {
    rmSync(ownerFile, { force: true });
    lock.close();
  };
}

/**
 * Creates the lock file with a mode of its own: SQLite would make the file readable by all. An existing file is not
 * opened: closing the file again would release a lock that this process holds.
 */
function make(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
  } catch {
    // The file exists, or cannot be created: SQLite reports the latter.
  }
  if (existsSync(file)) setMode(file, 0o600);
}

function nameOwner(file: string): string {
  try {
    const { pid, host, startedAt }: Partial<FolderOwner> = JSON.parse(readFileSync(file, 'utf8'));
    return ` (process ${pid} on ${host}, started ${startedAt})`;
  } catch {
    // The other process has the lock, but has not written its name yet.
    return '';
  }
}

/** SQLITE_BUSY (5), or SQLITE_LOCKED (6). */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6);
}
