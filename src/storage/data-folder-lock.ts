import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setMode } from './file-mode.ts';

/** Another process has the data folder open. `message` names it. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/** Who holds a data folder, for the message that the next one prints. */
export interface FolderOwner {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
}

/**
 * Takes the one lock of a data folder, or fails at once. Two openers would destroy the data.
 *
 * The lock is the kernel's, on a file that SQLite locks for us: it is free the moment its holder dies however it dies,
 * holds while its holder is merely stopped, and is seen from every container that mounts the folder. A process id in a
 * file has none of that; the one written beside it serves the message only.
 *
 * @returns the way to give it back
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
      `The data folder ${folder} is open in another process${nameOwner(ownerFile)}. The embedded database serves one process: stop that one first, or use PostgreSQL.`,
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
 * Makes the file that is locked, which SQLite would make readable by all. One that is there is not opened: to close it
 * would give back a lock that this process has.
 */
function make(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600, flag: 'wx' });
  } catch {
    // It is there, or cannot be made, which SQLite says.
  }
  if (existsSync(file)) setMode(file, 0o600);
}

function nameOwner(file: string): string {
  try {
    const { pid, host, startedAt }: Partial<FolderOwner> = JSON.parse(readFileSync(file, 'utf8'));
    return ` (process ${pid} on ${host}, started ${startedAt})`;
  } catch {
    // It has the lock but has not written its name yet.
    return '';
  }
}

/** SQLITE_BUSY (5), or SQLITE_LOCKED (6). */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 5 || error.errcode === 6);
}
