import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RememberedCredential } from '../../domain/credentials/credential.ts';
import type { ClientId } from '../../domain/ids.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type FindApiKey, isApiKey } from '../../domain/tokens/find-api-key.ts';
import type { InspectToken } from '../../domain/tokens/live-token.ts';
import { heldAt } from '../../domain/tokens/plan-token.ts';
import type { RevokeToken } from '../../domain/tokens/revoke-token.ts';
import type { VerifyAccessToken } from '../../domain/tokens/verify-access-token.ts';
import { attemptOf, notePresented } from '../attempt.ts';
import { OAuthError } from '../refusals/oauth-error.ts';
import type { Presented, PresentedKey } from './presented.ts';

/** The tools for introspecting and revoking tokens. */
export interface InspectionTools {
  readonly issuer: string;
  readonly inspectToken: InspectToken;
  readonly findApiKey: FindApiKey;
  readonly verifyToken: VerifyAccessToken;
  readonly revokeToken: RevokeToken;
  /** Whether a resource server names an account among those that may introspect its tokens. */
  readonly introspects: (clientId: RememberedAccount['account']['clientId'], audience: string) => Promise<boolean>;
}

type Policy = (ctx: KoaContextWithOIDC) => boolean | Promise<boolean>;

/** The text that replaces the token on its way through the library, which refuses JWTs at these endpoints. */
export const PRESENTED = 'presented';

export const INTROSPECTION_PATH = '/oauth/introspect';
export const REVOCATION_PATH = '/oauth/revoke';

/** The rules for which authenticated client may introspect a token, and which may revoke it. */
export function inspectionFeatures({ introspects }: InspectionTools): {
  introspection: { enabled: true; allowedPolicy: Policy };
  revocation: { enabled: true; allowedPolicy: Policy };
} {
  return {
    introspection: {
      enabled: true,
      async allowedPolicy(ctx) {
        const { snapshot, credential, presented } = attemptOf(ctx);
        if (snapshot === undefined || presented === undefined) return false;
        const { clientId } = snapshot.account;
        // An API key may be introspected only by accounts that its resource server names.
        if (!('key' in presented) && (isOwn(presented, clientId) || seesAll(snapshot, credential))) return true;
        return introspects(clientId, presented.audience);
      },
    },
    revocation: {
      enabled: true,
      allowedPolicy(ctx) {
        const { snapshot, presented } = attemptOf(ctx);
        if (presented !== undefined && snapshot && isOwn(presented, snapshot.account.clientId)) return true;
        throw new errors.InvalidRequest('a client revokes its own tokens only');
      },
    },
  };
}

/** Whether a client is the account of a token, or impersonates that account. */
function isOwn(presented: Presented, clientId: ClientId): boolean {
  return presented.clientId === clientId || ('actor' in presented && presented.actor === clientId);
}

/** Whether a client may introspect every token, within the reach of the credential that authenticated it. */
function seesAll(snapshot: RememberedAccount, credential: RememberedCredential | undefined): boolean {
  return heldAt(snapshot, 'management', credential?.permissions).includes('writ.tokens.introspect');
}

/**
 * The seam at which the library looks up the token for introspection (RFC 7662) and revocation (RFC 7009). The
 * library's own look-up finds opaque tokens in an adapter; ours verifies the JWT that the outer layer has read.
 */
export function installInspection(provider: Provider, tools: InspectionTools): void {
  const { issuer, inspectToken, findApiKey, verifyToken, revokeToken } = tools;

  async function presentedKey(compact: string): Promise<PresentedKey | undefined> {
    const found = await findApiKey(compact);
    if ('refused' in found) return undefined;
    const { credential: key, snapshot } = found;
    const { clientId, company } = snapshot.account;
    const permissions = heldAt(snapshot, key.audience.resourceServerId, key.permissions);
    const claims = {
      iss: issuer,
      sub: clientId,
      client_id: clientId,
      aud: key.audience.identifier,
      iat: Math.floor(key.createdAt.getTime() / 1000),
      ...(key.expiresAt !== undefined && { exp: Math.floor(key.expiresAt.getTime() / 1000) }),
      ...(permissions.length > 0 && { scope: permissions.join(' ') }),
      permissions,
      ...(company !== undefined && { company_id: company }),
    };
    return { clientId, audience: key.audience.identifier, key, claims };
  }

  provider.AccessToken.find = () => Promise.resolve(undefined);
  const find = async (): Promise<Model | undefined> => {
    const attempt = attemptOf(Provider.ctx);
    const { token: compact = '' } = attempt.request;
    if (Provider.ctx?.oidc.route === 'revocation') {
      // RFC 7009 §2.2.1: the client must not believe that its API key has been revoked.
      if (isApiKey(compact)) {
        throw new OAuthError(400, 'unsupported_token_type', 'an API key is no token: delete the credential');
      }
      // A token is revoked even if it has been ended in another way.
      const token = await verifyToken(compact);
      notePresented(attempt, token);
      const model = token && modelOf(provider, token);
      const { snapshot, requestId, source, credential } = attempt;
      if (token && model && snapshot) {
        const { clientId, company } = snapshot.account;
        const by = { clientId, company, requestId, source, credentialId: credential?.credentialId };
        model.destroy = () => revokeToken(token, by);
      }
      return model;
    }
    const presented = isApiKey(compact) ? await presentedKey(compact) : await inspectToken(compact);
    notePresented(attempt, presented);
    return presented && modelOf(provider, presented);
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- typed for every class that might inherit it; none does
  provider.ClientCredentials.find = find as typeof provider.ClientCredentials.find;
}

type Model = InstanceType<Provider['ClientCredentials']>;

function modelOf(provider: Provider, presented: Presented): Model {
  const { clientId, audience, claims } = presented;
  const { iat, exp, jti, scope, iss: _, aud: __, client_id: ___, cnf: ____, ...extra } = claims;
  const confirmation = 'confirmation' in presented ? presented.confirmation : undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the class takes a stored token's members; its type does not say so
  const Construct = provider.ClientCredentials as unknown as new (members: object) => Model;
  return new Construct({
    client: { clientId },
    iat,
    exp,
    jti,
    scope,
    jkt: confirmation?.jkt,
    'x5t#S256': confirmation?.['x5t#S256'],
    aud: audience,
    extra,
  });
}
