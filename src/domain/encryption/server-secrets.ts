import type { KeyEncryption } from './key-encryption.ts';

/** Random keys of this server that never change and are the same on every node. */
export interface ServerSecrets {
  /** Keys the HMAC under which client secrets are stored. */
  readonly clientSecretHashKey: Uint8Array;
  /** Keys the HMAC by which this server knows its own cursors. */
  readonly cursorKey: Uint8Array;
}

/** Where the sealed values are kept, by name. */
export interface ServerSecretStore {
  find(name: string): Promise<string | undefined>;
  insert(secret: { name: string; sealed: string; createdAt: Date }): Promise<void>;
}

/** Whether the database holds anything encrypted: these secrets are the first that is written. */
export async function hasServerSecrets(store: ServerSecretStore): Promise<boolean> {
  return (await store.find(HASH_KEY)) !== undefined;
}

const HASH_KEY = 'client_secret_hash_key';
const CURSOR_KEY = 'cursor_key';

/**
 * Reads this server's secrets, making those that do not exist yet. Runs inside the transaction that prepares the
 * database, so that two nodes never make two.
 *
 * @throws UndecryptableError when the key-encryption key is another one
 */
export async function prepareServerSecrets(
  store: ServerSecretStore,
  encryption: KeyEncryption,
  { randomBytes, now }: { randomBytes: (size: number) => Uint8Array; now: Date },
): Promise<ServerSecrets> {
  const prepare = async (name: string): Promise<Uint8Array> => {
    const label = `server_secrets/${name}`;
    const there = await store.find(name);
    if (there !== undefined) return encryption.open(there, label);
    const key = randomBytes(32);
    await store.insert({ name, sealed: await encryption.seal(key, label), createdAt: now });
    return key;
  };
  return { clientSecretHashKey: await prepare(HASH_KEY), cursorKey: await prepare(CURSOR_KEY) };
}
