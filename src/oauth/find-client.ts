import Provider, { type ClientMetadata } from 'oidc-provider';
import { type ClientId, isClientId } from '../domain/ids.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import { issuanceOf } from './issuance.ts';

/** Finds an account by what a request says is its id. */
export type FindAccount = (clientId: ClientId) => Promise<AccountSnapshot | undefined>;

/**
 * The seam at which we say who the client is. The library's own `Client.find` asks an adapter, hashes what it says and
 * keeps a hundred clients (notes, rows 18 and 22); ours looks at the account and builds the client once per snapshot.
 *
 * An unknown id gets a client that no secret fits, so that the same work is done for it and the same answer given.
 */
export function installFindClient(provider: Provider, findAccount: FindAccount): void {
  const clients = new WeakMap<AccountSnapshot, InstanceType<typeof provider.Client>>();
  const nobody = build('nobody');

  function build(clientId: string): InstanceType<typeof provider.Client> {
    const metadata: ClientMetadata = {
      client_id: clientId,
      // Required of a client with this method, and never compared: see compare-client-secret.ts.
      client_secret: 'unused',
      token_endpoint_auth_method: 'client_secret_basic',
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class can be constructed; its type does not say so
    return new (provider.Client as unknown as new (metadata: ClientMetadata) => InstanceType<typeof provider.Client>)(
      metadata,
    );
  }

  provider.Client.find = async (clientId) => {
    const issuance = issuanceOf(Provider.ctx);
    const snapshot = isClientId(clientId) ? await findAccount(clientId) : undefined;
    if (snapshot === undefined) {
      issuance.reason = 'account_unknown';
      return nobody;
    }
    issuance.snapshot = snapshot;
    let client = clients.get(snapshot);
    if (client === undefined) {
      client = build(snapshot.account.clientId);
      clients.set(snapshot, client);
    }
    return client;
  };
}
