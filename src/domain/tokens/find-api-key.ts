import type { ApiKeyCredential } from '../credentials/kinds/api-key-kind.ts';
import { whyUnusable } from '../credentials/credential-base.ts';
import type { Clock } from '../clock.ts';
import { isMistyped, PREFIXES } from '../credentials/client-secret.ts';
import type { RememberedCredential } from '../credentials/credential.ts';
import type { SameHash } from '../credentials/find-secret.ts';
import type { SecretHasher } from '../credentials/secret-hasher.ts';
import type { ClientId } from '../ids.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';

/** An API key that works, and its account. */
export interface LiveApiKey {
  readonly credential: ApiKeyCredential;
  readonly snapshot: RememberedAccount;
}

/** The reasons why an API key does not work, for the log; a closed list. */
export type ApiKeyRefusal =
  'api_key_mistyped' | 'api_key_unknown' | 'account_disabled' | NonNullable<ReturnType<typeof whyUnusable>>;

/**
 * Finds an API key and its account.
 *
 * @param mayAsk whether the database may be asked (default: true); if not, a key that this node does not remember
 *   counts as unknown
 */
export type FindApiKey = (presented: string, mayAsk?: boolean) => Promise<LiveApiKey | RefusedApiKey>;

/**
 * The accounts of the keys that were found, by the hashes of the keys in base64. The account of a key never changes.
 */
export interface KeyOwners {
  get(hash: string): ClientId | undefined;
  set(hash: string, owner: ClientId): unknown;
}

/** An API key that does not work, with its account if the key exists. */
export interface RefusedApiKey extends Partial<LiveApiKey> {
  readonly refused: ApiKeyRefusal;
}

/** Whether a text begins like an API key. */
export function isApiKey(presented: string): boolean {
  return presented.startsWith(PREFIXES.api_key);
}

/**
 * Creates the finder. It refuses a mistyped key without asking the database. For a key that it does not remember, it
 * asks for the account with one statement, and then remembers the account.
 */
export function createApiKeyFinder({
  hashSecret,
  sameHash,
  ownerOf,
  owners,
  find,
  remembers,
  clock,
}: {
  hashSecret: SecretHasher;
  sameHash: SameHash;
  ownerOf: (secretHash: Buffer) => Promise<ClientId | undefined>;
  owners: KeyOwners;
  /** Finds an account in the memory of this node, or else in the database. */
  find: (clientId: ClientId) => Promise<RememberedAccount | undefined> | RememberedAccount | undefined;
  /** Whether `find` would answer without asking the database. */
  remembers: (clientId: ClientId) => boolean;
  clock: Clock;
}): FindApiKey {
  return async (presented, mayAsk = true) => {
    if (isMistyped(presented)) return { refused: 'api_key_mistyped' };
    const hash = hashSecret(presented);
    const name = hash.toString('base64');
    const known = owners.get(name);
    if (!mayAsk && (known === undefined || !remembers(known))) return { refused: 'api_key_unknown' };
    const owner = known ?? (await ownerOf(hash));
    const snapshot = owner && (await find(owner));
    const credential = snapshot?.credentials.filter(isKey).find((key) => sameHash(key.secretHash, hash));
    if (snapshot === undefined || credential === undefined) return { refused: 'api_key_unknown' };
    owners.set(name, snapshot.account.clientId);
    if (!snapshot.enabled) return { refused: 'account_disabled', snapshot, credential };
    const reason = whyUnusable(credential, clock());
    return reason === undefined ? { credential, snapshot } : { refused: reason, snapshot, credential };
  };
}

function isKey(credential: RememberedCredential): credential is ApiKeyCredential {
  return credential.type === 'api_key';
}
