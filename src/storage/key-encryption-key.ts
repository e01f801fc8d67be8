import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
 * @param rules whether the database holds encrypted rows, and whether a missing key may be made at all
 * @param newKey 32 fresh random bytes
 * @throws KeyEncryptionKeyError
 */
export function obtainKeyEncryptionKey(
  folder: string,
  given: Buffer | undefined,
  rules: { readonly needed: boolean; readonly mayMake: boolean },
  newKey: () => Uint8Array,
): Buffer {
  const key = given ?? read(folder);
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
  return keep(folder, newKey());
}

function read(folder: string): Buffer | undefined {
  const file = join(folder, FILE);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  // A mounted Kubernetes secret is owned by root and read through the group, so that much must be allowed.
  if ((stat.mode & 0o027) !== 0) {
    throw new KeyEncryptionKeyError(`${file} may be read or changed by others: chmod 600 it`);
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new KeyEncryptionKeyError(`${file} does not hold 32 bytes in base64`);
  return key;
}

/** Keeps a new key, mode 0600, unless another process has just put one there; the one that stands counts. */
function keep(folder: string, key: Uint8Array): Buffer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, FILE);
  const draft = `${file}.${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  writeFileSync(draft, `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600, flush: true });
  chmodSync(draft, 0o600);
  try {
    // A link, not a rename: it fails when the name exists, and nobody ever reads half a key.
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  return read(folder) ?? Buffer.from(key);
}
