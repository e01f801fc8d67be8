import { errors, type Configuration } from 'oidc-provider';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { Credential } from '../domain/credentials/credential.ts';
import { kindOf } from '../domain/credentials/kinds/kinds.ts';
import { isNamed } from '../domain/resource-servers/resource-server.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import { planToken, type PlanRequest, type TokenSettings } from '../domain/tokens/plan-token.ts';
import { type ClientRequest, exchangeRefused } from './client-request.ts';
import { type Issuance, issuanceOf } from './issuance.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** What the library knows every resource server by; which one it is, `getResourceServerInfo` decides. */
const INNER_RESOURCE = 'urn:writ:resource-server';

/**
 * The seam at which the audience and the scope of a token are decided. It runs after the client is authenticated and
 * before the library looks at scopes. The library wants every resource to be an absolute URI, drops scopes it does not
 * know and answers an opaque token where none is named (notes, rows 16, 17 and 26), so it never sees the caller's
 * resource or scope.
 */
export function resourceIndicators(settings: TokenSettings & { keyRing: KeyRing }): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: () => INNER_RESOURCE,
    getResourceServerInfo(ctx) {
      const issuance = issuanceOf(ctx);
      const { snapshot, request } = issuance;
      if (snapshot === undefined) throw new Error('a client was authenticated without an account');
      exchange(issuance, snapshot);
      const { credential } = issuance;
      const plan = planToken(snapshot, asked(request, credential), settings, credential?.permissions);
      if ('refused' in plan) {
        throw plan.refused === 'invalid_scope'
          ? new errors.InvalidScope(plan.description, '')
          : new errors.InvalidTarget(plan.description);
      }
      const { server, scope } = plan;
      issuance.audience = server;
      if (ctx.oidc.params) ctx.oidc.params['scope'] = scope === '' ? undefined : scope;
      const key = settings.keyRing.active[plan.signingAlg];
      return {
        scope,
        audience: server.identifier,
        accessTokenTTL: plan.expiresIn,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: key.alg, kid: key.kid } },
      };
    },
  };
}

/**
 * From here on an API key that is exchanged is the credential, whoever authenticated beside it.
 *
 * @throws OAuthError where that was another account
 */
function exchange(issuance: Issuance, { account }: AccountSnapshot): void {
  const { exchanged, credential } = issuance;
  if (exchanged === undefined || exchanged.credential === credential) return;
  if (exchanged.snapshot.account.clientId !== account.clientId) throw exchangeRefused('client_other');
  issuance.beside = credential;
  issuance.credential = exchanged.credential;
}

/**
 * The resource server and the scope that a request asks for. Some credentials work for one resource server only.
 *
 * @throws InvalidTarget when the request names another one
 */
function asked({ resource, scope }: ClientRequest, credential: Credential | undefined): PlanRequest {
  const only = credential && kindOf(credential).onlyAt(credential);
  if (only === undefined) return { resource, scope };
  if (resource !== undefined && !isNamed(only, resource)) {
    throw new errors.InvalidTarget('the credential is for another resource server');
  }
  return { resource: only.identifier, scope };
}
