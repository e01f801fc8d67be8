import type Provider from 'oidc-provider';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import type { MintToken, WantedToken } from '../../domain/tokens/mint-token.ts';
import { buildClient } from '../ways/library-client.ts';
import { INNER_RESOURCE, libraryResource } from './resource-indicators.ts';

const wantedTokens = new WeakMap<object, WantedToken>();

/**
 * Creates the minting of tokens outside token requests: the library makes them as it makes all others, and asks the same
 * hooks. There is no request then, so the hooks find here what the token is to say.
 */
export function createMint(provider: Provider, keyRing: KeyRing): MintToken {
  return async (wanted) => {
    const { snapshot, plan } = wanted;
    const { scope } = plan;
    const token = new provider.ClientCredentials({
      client: buildClient(provider, { client_id: snapshot.account.clientId, token_endpoint_auth_method: 'none' }),
      ...(scope !== '' && { scope }),
    });
    token.resourceServer = new provider.ResourceServer(INNER_RESOURCE, libraryResource(plan, keyRing));
    wantedTokens.set(token, wanted);
    return { accessToken: await token.save(), jti: token.jti };
  };
}

/** The token that the library makes outside a token request. */
export function wantedOf(token: object): WantedToken {
  const wanted = wantedTokens.get(token);
  if (wanted === undefined) throw new Error('the library makes a token that nobody wants');
  return wanted;
}
