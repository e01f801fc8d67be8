import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorCode, setMode } from './file-mode.ts';

/** The key-encryption key is missing, or may be read by others. `message` tells the operator what to do. */
export class KeyEncryptionKeyError extends Error {
  override readonly name = 'KeyEncryptionKeyError';
}

const FILE = 'key-encryption-key';

/**
 * The key-encryption key: given, or from the keys folder, or made there now. It is made only where nothing can depend
 * on another one and nobody can miss that it must be kept: never over a database that holds encrypted rows, never for a
 * production server.
 *
 * @param given 32 bytes from the environment
 * @param rules whether the database holds encrypted rows, whether a missing key may be made at all, and who is told of a
 *   file that others may read because its mode cannot be set
 * @param newKey 32 fresh random bytes
 * @throws KeyEncryptionKeyError
 */
export function obtainKeyEncryptionKey(
  folder: string,
  given: Buffer | undefined,
  rules: { readonly needed: boolean; readonly mayMake: boolean; readonly warn: (text: string) => void },
  newKey: () => Uint8Array,
): Buffer {
  const key = given ?? read(folder, rules.warn);
  if (key !== undefined) return key;
  const file = join(folder, FILE);
  if (rules.needed) {
    throw new KeyEncryptionKeyError(
      `The database holds keys that are encrypted, but there is no key-encryption key: put the one they were encrypted with at ${file}, or give it as WRIT_KEY_ENCRYPTION_KEY`,
    );
  }
  if (!rules.mayMake) {
    throw new KeyEncryptionKeyError(
      `There is no key-encryption key at ${file}. Make one, and keep a copy of it somewhere safe:\n  mkdir -p '${folder}' && (umask 077; openssl rand -base64 32 > '${file}')\nor give one as WRIT_KEY_ENCRYPTION_KEY`,
    );
  }
  return keep(folder, newKey(), rules.warn);
}

/** Bits that no key file may have: read by a group is how a Kubernetes secret reaches a process that is not root. */
const FOREIGN = 0o027;

function read(folder: string, warn: (text: string) => void): Buffer | undefined {
  const file = join(folder, FILE);
  let content: string;
  let mode: number;
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    mode = stat.mode & 0o777;
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new KeyEncryptionKeyError(
      `${file} cannot be read (${fileErrorCode(error)}): let the user of this process read it (of a Kubernetes secret, defaultMode 0440 with an fsGroup), or give the key as WRIT_KEY_ENCRYPTION_KEY`,
      { cause: error },
    );
  }
  if ((mode & FOREIGN) !== 0) assertCannotBeSet(file, mode, warn);
  const key = Buffer.from(content.trim(), 'base64');
  if (key.length !== 32) throw new KeyEncryptionKeyError(`${file} does not hold 32 bytes in base64`);
  return key;
}

/**
 * A mode is demanded where it can be set. It is set to find that out, and put back: that others could read the key is
 * for somebody to know.
 *
 * @throws KeyEncryptionKeyError
 */
function assertCannotBeSet(file: string, mode: number, warn: (text: string) => void): void {
  if (setMode(file, 0o600)) {
    setMode(file, mode);
    throw new KeyEncryptionKeyError(
      `${file} may be read or changed by others: chmod 600 it (of a Kubernetes secret, set defaultMode to 0400, or to 0440 with an fsGroup)`,
    );
  }
  warn(
    `${file} may be read or changed by others (mode ${mode.toString(8).padStart(4, '0')}), which cannot be changed here: mount it with a narrower mode (of a Kubernetes secret, defaultMode 0400, or 0440 with an fsGroup), or give the key as WRIT_KEY_ENCRYPTION_KEY`,
  );
}

/** Keeps a new key, mode 0600, unless another process has just put one there; the one that stands counts. */
function keep(folder: string, key: Uint8Array, warn: (text: string) => void): Buffer {
  const file = join(folder, FILE);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    put(file, `${Buffer.from(key).toString('base64')}\n`);
  } catch (error) {
    throw new KeyEncryptionKeyError(
      `No key-encryption key can be kept at ${file} (${fileErrorCode(error)}): let the user of this process write to the folder, name another one with WRIT_KEYS_DIR, or give a key as WRIT_KEY_ENCRYPTION_KEY (openssl rand -base64 32 makes one)`,
      { cause: error },
    );
  }
  const kept = read(folder, warn);
  // A link that leads nowhere is there, and holds nothing.
  if (kept === undefined)
    throw new KeyEncryptionKeyError(`${file} leads nowhere: remove it, or put a key where it leads`);
  return kept;
}

function put(file: string, content: string): void {
  const draft = `${file}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
  writeFileSync(draft, content, { mode: 0o600, flush: true });
  setMode(draft, 0o600);
  try {
    // A link, not a rename: it fails when the name exists, and nobody ever reads half a key.
    linkSync(draft, file);
  } catch (error) {
    // Many a share knows no links.
    if (fileErrorCode(error) !== 'EEXIST') putWithoutLink(file, content);
  } finally {
    rmSync(draft);
  }
}

function putWithoutLink(file: string, content: string): void {
  try {
    writeFileSync(file, content, { mode: 0o600, flush: true, flag: 'wx' });
  } catch (error) {
    if (fileErrorCode(error) !== 'EEXIST') throw error;
  }
}
