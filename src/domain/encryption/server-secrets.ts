import type { KeyEncryption } from './key-encryption.ts';

/** The random keys of this server. They never change and are the same on every node. */
export interface ServerSecrets {
  /** The key of the HMAC that hashes client secrets. */
  readonly clientSecretHashKey: Uint8Array;
  /** The key of the HMAC that authenticates cursors. */
  readonly cursorKey: Uint8Array;
  /** The key of the nonces for DPoP proofs. */
  readonly dpopNonceKey: Uint8Array;
}

/** The store of the encrypted keys, by name. */
export interface ServerSecretStore {
  find(name: string): Promise<string | undefined>;
  insert(secret: { name: string; sealed: string; createdAt: Date }): Promise<void>;
  list(): Promise<readonly { readonly name: string; readonly sealed: string }[]>;
  update(secret: { readonly name: string; readonly sealed: string }): Promise<void>;
}

/** Whether the database has encrypted values: the hash key is the first encrypted value that the server writes. */
export async function hasServerSecrets(store: ServerSecretStore): Promise<boolean> {
  return (await store.find(HASH_KEY)) !== undefined;
}

/** The label under which a secret is encrypted. */
export function secretLabel(name: string): string {
  return `server_secrets/${name}`;
}

const HASH_KEY = 'client_secret_hash_key';
const CURSOR_KEY = 'cursor_key';
const DPOP_NONCE_KEY = 'dpop_nonce_key';

/**
 * Reads the secrets of this server, and generates missing ones. The caller runs this in the transaction that prepares
 * the database: two nodes never generate the same secret twice.
 *
 * @throws UndecryptableError when the secrets were encrypted with another key-encryption key
 */
export async function prepareServerSecrets(
  store: ServerSecretStore,
  encryption: KeyEncryption,
  { randomBytes, now }: { randomBytes: (size: number) => Uint8Array; now: Date },
): Promise<ServerSecrets> {
  const prepare = async (name: string): Promise<Uint8Array> => {
    const label = secretLabel(name);
    const there = await store.find(name);
    if (there !== undefined) return encryption.open(there, label);
    const key = randomBytes(32);
    await store.insert({ name, sealed: await encryption.seal(key, label), createdAt: now });
    return key;
  };
  return {
    clientSecretHashKey: await prepare(HASH_KEY),
    cursorKey: await prepare(CURSOR_KEY),
    dpopNonceKey: await prepare(DPOP_NONCE_KEY),
  };
}
