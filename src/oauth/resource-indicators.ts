import { errors, type Configuration } from 'oidc-provider';
import { resolveAccess } from '../domain/permissions/resolve-access.ts';
import type { ResourceServers } from '../domain/permissions/resource-server.ts';
import { FIRST_AUDIENCE } from '../domain/service-accounts/service-account.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { SigningAlg } from '../domain/signing-keys/signing-key.ts';
import { issuanceOf } from './issuance.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** What the library knows every resource server by; which one it is, `getResourceServerInfo` decides. */
const INNER_RESOURCE = 'urn:writ:resource-server';

/**
 * The seam at which the audience and the scope of a token are decided. It runs after the client is authenticated and
 * before the library looks at scopes. The library wants every resource to be an absolute URI, drops scopes it does not
 * know and answers an opaque token where none is named (notes, rows 16, 17 and 26), so it never sees the caller's.
 */
export function resourceIndicators(options: {
  servers: ResourceServers;
  keyRing: KeyRing;
  signingAlg: SigningAlg;
  tokenTtl: number;
}): ResourceIndicators {
  const key = options.keyRing.active[options.signingAlg];
  return {
    enabled: true,
    defaultResource: () => INNER_RESOURCE,
    getResourceServerInfo(ctx) {
      const { snapshot, request } = issuanceOf(ctx);
      if (snapshot === undefined) throw new Error('a client was authenticated without an account');
      const access = resolveAccess(
        { holdings: snapshot.holdings, audience: snapshot.account.audience ?? FIRST_AUDIENCE },
        options.servers,
        { resource: request.resource, scope: request.scope?.split(' ') },
      );
      if ('refused' in access) {
        throw access.refused === 'invalid_scope'
          ? new errors.InvalidScope(access.description, '')
          : new errors.InvalidTarget(access.description);
      }
      const scope = access.permissions.join(' ');
      if (ctx.oidc.params) ctx.oidc.params['scope'] = scope === '' ? undefined : scope;
      return {
        scope,
        audience: access.server.identifier,
        accessTokenTTL: Math.min(options.tokenTtl, snapshot.account.tokenTtl ?? Infinity),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: key.alg, kid: key.kid } },
      };
    },
  };
}
