import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorCode, foreignMode, setMode } from './file-mode.ts';

/** The key-encryption key is missing, or may be read by others. `message` tells the operator what to do. */
export class KeyEncryptionKeyError extends Error {
  override readonly name = 'KeyEncryptionKeyError';
}

const FILE = 'key-encryption-key';

/**
 * Obtains the key-encryption keys, newest first: the given keys, or the keys in the keys folder, or a new key that is
 * kept there. No key is generated if the database holds encrypted rows: they need the key with which they were
 * encrypted. The caller forbids a new key where an operator could overlook that the key must be kept.
 *
 * @param given keys of 32 bytes from the environment
 * @param rules `needed`: whether the database holds encrypted rows; `mayMake`: whether a missing key may be generated
 *   at all; `warn`: told of a file that others may read and whose mode cannot be set
 * @param newKey 32 fresh random bytes
 * @throws KeyEncryptionKeyError
 */
export function obtainKeyEncryptionKeys(
  folder: string,
  given: readonly Buffer[] | undefined,
  rules: { readonly needed: boolean; readonly mayMake: boolean; readonly warn: (text: string) => void },
  newKey: () => Uint8Array,
): readonly Buffer[] {
  const keys = given ?? read(folder, rules.warn);
  if (keys !== undefined) return keys;
  const file = join(folder, FILE);
  if (rules.needed) {
    throw new KeyEncryptionKeyError(
      `The database holds keys that are encrypted, but there is no key-encryption key: put the key with which they were encrypted at ${file}, or give that key as WRIT_KEY_ENCRYPTION_KEY`,
    );
  }
  if (!rules.mayMake) {
    throw new KeyEncryptionKeyError(
      `There is no key-encryption key at ${file}. Make one, and keep a copy of it somewhere safe:\n  mkdir -p '${folder}' && (umask 077; openssl rand -base64 32 > '${file}')\nor give one as WRIT_KEY_ENCRYPTION_KEY`,
    );
  }
  return keep(folder, newKey(), rules.warn);
}

function read(folder: string, warn: (text: string) => void): readonly Buffer[] | undefined {
  const file = join(folder, FILE);
  let content: string;
  let mode: number;
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    mode = stat.mode;
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new KeyEncryptionKeyError(
      `${file} cannot be read (${fileErrorCode(error)}): let the user of this process read it (of a Kubernetes secret, defaultMode 0440 with an fsGroup), or give the key as WRIT_KEY_ENCRYPTION_KEY`,
      { cause: error },
    );
  }
  const refused = foreignMode(file, mode, (text) => warn(`${text}, or give the key as WRIT_KEY_ENCRYPTION_KEY`));
  if (refused !== undefined) throw new KeyEncryptionKeyError(refused);
  const lines = content.split('\n').flatMap((line) => line.trim() || []);
  const keys = lines.map((line) => Buffer.from(line, 'base64'));
  if (keys.length === 0 || keys.some(({ length }) => length !== 32)) {
    throw new KeyEncryptionKeyError(`${file} does not hold 32 bytes in base64, or a line of 32 bytes for each key`);
  }
  return keys;
}

/** Writes a new key to a file with mode 0600. If another process has just written a key, that key counts. */
function keep(folder: string, key: Uint8Array, warn: (text: string) => void): readonly Buffer[] {
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
  // A symbolic link to a missing file exists, but holds no key.
  if (kept === undefined)
    throw new KeyEncryptionKeyError(
      `${file} is a link to a missing file: remove the link, or put a key where it leads`,
    );
  return kept;
}

function put(file: string, content: string): void {
  const draft = `${file}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
  writeFileSync(draft, content, { mode: 0o600, flush: true });
  setMode(draft, 0o600);
  try {
    // A hard link, not a rename: linking fails when the name exists, and no process reads half a key.
    linkSync(draft, file);
  } catch (error) {
    // Many network shares do not support hard links.
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
