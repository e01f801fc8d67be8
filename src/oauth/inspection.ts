import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { inCommon } from '../domain/permissions/scope-token.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import type { RevokedTokenStore } from '../domain/status/revoked-token-store.ts';
import type { InspectToken } from '../domain/tokens/live-token.ts';
import type { VerifiedToken, VerifyAccessToken } from '../domain/tokens/verify-access-token.ts';
import { type Issuance, issuanceOf } from './issuance.ts';

/** What asking about tokens, and revoking them, takes. */
export interface InspectionTools {
  readonly inspectToken: InspectToken;
  readonly verifyToken: VerifyAccessToken;
  readonly revokedTokens: Pick<RevokedTokenStore, 'revoke'>;
  /** Whether a resource server names an account as one that may ask about its tokens. */
  readonly introspects: (clientId: AccountSnapshot['account']['clientId'], audience: string) => Promise<boolean>;
}

type Policy = (ctx: KoaContextWithOIDC) => boolean | Promise<boolean>;

/** What stands in place of the token on its way through the library, which refuses JWTs here. */
export const PRESENTED = 'presented';

export const INTROSPECTION_PATH = '/oauth/introspect';
export const REVOCATION_PATH = '/oauth/revoke';

/** Who may ask about a token, and who may revoke it; the client has been authenticated. */
export function inspectionFeatures({ introspects }: InspectionTools): {
  introspection: { enabled: true; allowedPolicy: Policy };
  revocation: { enabled: true; allowedPolicy: Policy };
} {
  return {
    introspection: {
      enabled: true,
      async allowedPolicy(ctx) {
        const issuance = issuanceOf(ctx);
        const { snapshot, presented } = issuance;
        if (snapshot === undefined || presented === undefined) return false;
        const { clientId } = snapshot.account;
        if (presented.clientId === clientId || maySeeAll(issuance)) return true;
        return introspects(clientId, presented.audience);
      },
    },
    revocation: {
      enabled: true,
      allowedPolicy(ctx) {
        const { snapshot, presented } = issuanceOf(ctx);
        if (presented?.clientId === snapshot?.account.clientId) return true;
        throw new errors.InvalidRequest('a client revokes its own tokens only');
      },
    },
  };
}

/** As far as the credential that authenticated it reaches. */
function maySeeAll({ snapshot, credential }: Issuance): boolean {
  const held = snapshot?.holdings.get('management') ?? new Set<string>();
  const { permissions } = credential ?? {};
  const reach = permissions === undefined ? held : inCommon(held, new Set(permissions));
  return reach.has('writ.tokens.introspect');
}

/**
 * The seam at which the library finds the token that introspection (RFC 7662) and revocation (RFC 7009) are about. Its
 * own look-up knows opaque tokens in an adapter; ours verifies the JWT that was presented to the outer layer.
 */
export function installInspection(provider: Provider, tools: InspectionTools): void {
  const { inspectToken, verifyToken, revokedTokens } = tools;
  provider.AccessToken.find = () => Promise.resolve(undefined);
  const find = async (): Promise<Model | undefined> => {
    const issuance = issuanceOf(Provider.ctx);
    const { token: compact = '' } = issuance.request;
    // What has been ended otherwise is revoked all the same.
    const revoking = Provider.ctx?.oidc.route === 'revocation';
    const token = revoking ? await verifyToken(compact) : (await inspectToken(compact))?.token;
    issuance.presented = token;
    if (token === undefined) return undefined;
    const model = modelOf(provider, token);
    model.destroy = () => revokedTokens.revoke(token);
    return model;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed for every class that might inherit it; none does
  provider.ClientCredentials.find = find as typeof provider.ClientCredentials.find;
}

type Model = InstanceType<Provider['ClientCredentials']>;

function modelOf(provider: Provider, { clientId, audience, claims }: VerifiedToken): Model {
  const { iat, exp, jti, scope, iss: _, aud: __, client_id: ___, ...extra } = claims;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class takes a stored token's members; its type does not say so
  const Construct = provider.ClientCredentials as unknown as new (members: object) => Model;
  return new Construct({ client: { clientId }, iat, exp, jti, scope, aud: audience, extra });
}
