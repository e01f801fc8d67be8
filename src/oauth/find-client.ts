import Provider, { type ClientMetadata } from 'oidc-provider';
import type { PublicKeyCredential } from '../domain/credentials/kinds/public-key-kind.ts';
import { findKey } from '../domain/assertions/fitting-key.ts';
import type { Clock } from '../domain/clock.ts';
import { isMistyped, oddityOf } from '../domain/credentials/client-secret.ts';
import { type ClientId, isClientId } from '../domain/ids.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import { type DecoyKeys, withDecoyKey } from './decoy.ts';
import type { GuessLimiter } from './guess-limiter.ts';
import { type Issuance, issuanceOf } from './issuance.ts';

/** The accounts, as this node remembers them. */
export interface KnownAccounts {
  find(clientId: ClientId): Promise<AccountSnapshot | undefined> | AccountSnapshot | undefined;
  /** Whether `find` would answer without asking the database. */
  knows(clientId: ClientId): boolean;
}

type Client = InstanceType<Provider['Client']>;

/** What finding a client takes. */
export interface ClientTools {
  readonly accounts: KnownAccounts;
  readonly decoyKeys: DecoyKeys;
  readonly clock: Clock;
  readonly guesses: GuessLimiter;
}

/**
 * The seam at which we say who the client is. The library's own `Client.find` asks an adapter, hashes what it says and
 * keeps a hundred clients (notes, rows 18 and 22); ours looks at the account and builds the client once for it.
 *
 * The library knows one method a client, and an account may have several secrets and keys: it gets the client that fits
 * what the request presents, for an assertion one with the single key that can have signed it. Where nothing fits it
 * gets a client that nothing can authenticate, so that the same work is done and the same answer given.
 */
export function installFindClient(provider: Provider, { accounts, decoyKeys, clock, guesses }: ClientTools): void {
  const bySecret = new WeakMap<AccountSnapshot, Client>();
  const byApiKey = new WeakMap<AccountSnapshot, Client>();
  const byKey = new WeakMap<PublicKeyCredential, Client>();
  const nobody = build({ client_id: 'nobody', ...SECRET });
  const nobodyWithKey = build({
    client_id: 'nobody',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [] },
  });

  function build(metadata: ClientMetadata): Client {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class can be constructed; its type does not say so
    return new (provider.Client as unknown as new (metadata: ClientMetadata) => Client)(metadata);
  }

  function clientWithSecrets(snapshot: AccountSnapshot | undefined): Client {
    if (snapshot === undefined) return nobody;
    return remember(bySecret, snapshot, () => build({ client_id: snapshot.account.clientId, ...SECRET }));
  }

  /** A client that nothing can authenticate. */
  function nobodyFor({ request }: Issuance, clientId: string): Client {
    if (request.authentication.method !== 'private_key_jwt') return nobody;
    return withDecoyKey(nobodyWithKey, clientId, decoyKeys);
  }

  /** The outer layer has found out whose API key it is; without that nothing proves anything (notes, row 27). */
  function clientOfKey({ snapshot }: Issuance): Client {
    if (snapshot === undefined) return nobody;
    return remember(byApiKey, snapshot, () =>
      build({ client_id: snapshot.account.clientId, token_endpoint_auth_method: 'none' }),
    );
  }

  function clientWithKey(issuance: Issuance, clientId: string): Client {
    const { authentication } = issuance.request;
    if (authentication.method !== 'private_key_jwt') throw new Error('the request presents no assertion');
    const found = findKey(issuance.snapshot, authentication.assertion, clock());
    if ('missing' in found || found.unusable !== undefined) {
      // One that does not work any more is like none.
      if ('key' in found) issuance.ended = found.key;
      else if (issuance.snapshot !== undefined) issuance.detail = found.missing;
      issuance.reason ??= 'key' in found ? found.unusable : 'assertion_key_unknown';
      return nobodyFor(issuance, clientId);
    }
    const { key } = found;
    issuance.credential = key;
    return remember(byKey, key, () =>
      build({
        client_id: clientId,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...key.publicKey, kid: key.kid }] },
      }),
    );
  }

  provider.Client.find = async (clientId) => {
    const issuance = issuanceOf(Provider.ctx);
    if (issuance.request.authentication.method === 'api_key') return clientOfKey(issuance);
    // Here and no earlier: the id is what the library reads, however it was encoded.
    const attempt = guesses.admit(issuance.source, clientId);
    issuance.attempt = attempt;
    const known = isClientId(clientId) ? clientId : undefined;
    issuance.named = known ?? meant(clientId);
    // A mistyped secret belongs to no account, so the database is not asked; it is compared all the same.
    if (known === undefined && issuance.named !== undefined) {
      issuance.reason = 'secret_mistyped';
      issuance.detail = `the client id ${oddityOf(clientId)}`;
      return nobody;
    }
    if (known !== undefined && !accounts.knows(known)) {
      // Too many have failed: the same work is done, in vain, whatever was presented.
      if (!attempt.mayAsk) return nobodyFor(issuance, clientId);
      if (isMistyped(presentedSecret(issuance))) {
        issuance.reason = 'secret_mistyped';
        issuance.clientId = known;
        return nobody;
      }
    }
    const found = known && (await accounts.find(known));
    if (found === undefined) issuance.reason = 'account_unknown';
    else {
      issuance.clientId = found.account.clientId;
      // From here on a disabled account is like none.
      if (found.enabled) issuance.snapshot = found;
      else issuance.reason = 'account_disabled';
    }
    return issuance.request.authentication.method === 'private_key_jwt'
      ? clientWithKey(issuance, clientId)
      : clientWithSecrets(issuance.snapshot);
  };
}

/** The id that somebody meant who wrote blanks or a line break beside it. */
function meant(clientId: string): ClientId | undefined {
  const trimmed = clientId.trim();
  return isClientId(trimmed) ? trimmed : undefined;
}

function presentedSecret({ request: { authentication } }: Issuance): string {
  return 'clientSecret' in authentication ? authentication.clientSecret : '';
}

const SECRET: Omit<ClientMetadata, 'client_id'> = {
  token_endpoint_auth_method: 'client_secret_basic',
  // Required of a client with this method, and never compared: see compare-client-secret.ts.
  client_secret: 'unused',
};

function remember<Key extends object>(clients: WeakMap<Key, Client>, key: Key, make: () => Client): Client {
  const known = clients.get(key);
  if (known !== undefined) return known;
  const client = make();
  clients.set(key, client);
  return client;
}
