import Provider, { type ClientMetadata } from 'oidc-provider';
import type { ClientId } from '../../domain/ids.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { attemptOf } from '../attempt.ts';

type Client = InstanceType<Provider['Client']>;

/**
 * The seam at which the library asks which client a request comes from. It replaces the library's own `Client.find`,
 * which asks an adapter, hashes the answer and keeps a hundred clients (oidc-provider.md, N-18 and N-22).
 *
 * The client has been recognized before, so the library authenticates it by `none`. A client of that kind must never
 * stand for an account that nobody has proved to be (oidc-provider.md, N-27).
 */
export function installFindClient(provider: Provider): void {
  const clients = new WeakMap<RememberedAccount, Client>();
  provider.Client.find = () => {
    const { snapshot, credential } = attemptOf(Provider.ctx);
    if (snapshot === undefined || credential === undefined) {
      throw new Error('the library asks for a client that has not been recognized');
    }
    let client = clients.get(snapshot);
    if (client === undefined) {
      client = buildClient(provider, snapshot.account.clientId);
      clients.set(snapshot, client);
    }
    return Promise.resolve(client);
  };
}

/** Builds a client of the library without its schema validation of every field (oidc-provider.md, N-18). */
function buildClient(provider: Provider, clientId: ClientId): Client {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class can be constructed; its type does not say so
  const Construct = provider.Client as unknown as new (metadata: ClientMetadata) => Client;
  return new Construct({ client_id: clientId, token_endpoint_auth_method: 'none' });
}
