import type Provider from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';
import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import type { Client } from './way.ts';

/** Builds a client of the library without its schema validation of every field (oidc-provider.md, N-18). */
export function buildClient(provider: Provider, metadata: ClientMetadata): Client {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class can be constructed; its type does not say so
  return new (provider.Client as unknown as new (metadata: ClientMetadata) => Client)(metadata);
}

/** Finds the client for a key of the map, or builds it the first time. */
export function builtOnce<Key extends object>(clients: WeakMap<Key, Client>, key: Key, build: () => Client): Client {
  const known = clients.get(key);
  if (known !== undefined) return known;
  const client = build();
  clients.set(key, client);
  return client;
}

/**
 * Creates the finder of clients whose accounts the outer layer has recognized: the library checks no proof of theirs.
 * Without an account, the library gets no client with `none` (oidc-provider.md, N-27).
 */
export function recognizedClients(provider: Provider): (snapshot: AccountSnapshot) => Client {
  const clients = new WeakMap<AccountSnapshot, Client>();
  return (snapshot) =>
    builtOnce(clients, snapshot, () =>
      buildClient(provider, { client_id: snapshot.account.clientId, token_endpoint_auth_method: 'none' }),
    );
}
