import Provider from 'oidc-provider';
import { attemptOf } from '../attempt.ts';
import type { Proof } from '../ways/proofs.ts';
import type { InstalledWay } from '../ways/way.ts';

/**
 * The seam at which the library asks which client a request comes from. It replaces the library's own `Client.find`,
 * which asks an adapter, hashes the answer and keeps a hundred clients (oidc-provider.md, N-18 and N-22).
 *
 * In the library a client has one method and one key set, while an account may have several secrets and keys. So the
 * way of the request answers a client with only the method and the key that the request needs.
 */
export function installFindClient(provider: Provider, { findClient }: Pick<InstalledWay<Proof>, 'findClient'>): void {
  provider.Client.find = async (clientId) => {
    const attempt = attemptOf(Provider.ctx);
    return findClient(attempt, attempt.request.proof, clientId);
  };
}
