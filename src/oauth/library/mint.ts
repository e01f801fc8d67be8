import type Provider from 'oidc-provider';
import type { ResourceServer } from 'oidc-provider';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import type { MintToken, WantedToken } from '../../domain/tokens/mint-token.ts';
import type { TokenPlan } from '../../domain/tokens/plan-token.ts';

const wantedTokens = new WeakMap<object, WantedToken>();

/**
 * Creates the minting of tokens, by the library's model of a token (RFC 9068). No request of the library is underway then:
 * its hooks find here what the token is to say.
 */
export function createMint(provider: Provider, keyRing: KeyRing): MintToken {
  // Of the client, a token takes the id only. To build one of the library's clients costs as much as the token.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class takes any client; its type does not say so
  const Construct = provider.ClientCredentials as unknown as new (
    members: object,
  ) => InstanceType<Provider['ClientCredentials']>;
  return async (wanted) => {
    const { snapshot, plan } = wanted;
    const { scope } = plan;
    const token = new Construct({
      client: { clientId: snapshot.account.clientId },
      ...(scope !== '' && { scope }),
    });
    token.resourceServer = new provider.ResourceServer(INNER_RESOURCE, libraryResource(plan, keyRing));
    wantedTokens.set(token, wanted);
    return { accessToken: await token.save(), jti: token.jti };
  };
}

/** Finds the description of a token that the library is making. */
export function wantedOf(token: object): WantedToken {
  const wanted = wantedTokens.get(token);
  if (wanted === undefined) throw new Error('the library makes a token that nobody wants');
  return wanted;
}

/** The library asks for a name of every resource server, and shows it to nobody. */
const INNER_RESOURCE = 'urn:writ:resource-server';

/** The resource server of a token in the form of the library. */
function libraryResource({ server, scope, expiresIn, signingAlg }: TokenPlan, { active }: KeyRing): ResourceServer {
  const { alg, kid } = active[signingAlg];
  return {
    scope,
    audience: server.identifier,
    accessTokenTTL: expiresIn,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg, kid } },
  };
}
