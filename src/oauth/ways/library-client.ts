import type Provider from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';
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
