import { errors, type Configuration } from 'oidc-provider';
import type { Credential } from '../../domain/credentials/credential.ts';
import { kindOf } from '../../domain/credentials/kinds/kinds.ts';
import { isNamed } from '../../domain/resource-servers/resource-server.ts';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import { planToken, type PlanRequest, type TokenSettings } from '../../domain/tokens/plan-token.ts';
import { attemptOf, type ClientRequest, noteAudience } from '../attempt.ts';
import { exchangeApiKey } from '../ways/api-key-way.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** The library sees this name for every resource server; `getResourceServerInfo` decides which one it is. */
const INNER_RESOURCE = 'urn:writ:resource-server';

/**
 * The seam at which the audience and the scope of a token are decided: after the client has been authenticated, and
 * before the library checks the scope. The library never sees the resource and the scope of the request: it takes only
 * absolute URIs as resources, drops unknown scopes, and issues an opaque token when no resource is named
 * (oidc-provider.md, N-16, N-17 and N-26).
 */
export function resourceIndicators(settings: TokenSettings, { active }: KeyRing): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: () => INNER_RESOURCE,
    getResourceServerInfo(ctx) {
      const attempt = attemptOf(ctx);
      exchangeApiKey(attempt);
      const { snapshot, credential, request } = attempt;
      if (snapshot === undefined) throw new Error('a client was authenticated without an account');
      const plan = planToken(snapshot, asked(request, credential), settings, credential?.permissions);
      if ('refused' in plan) {
        throw plan.refused === 'invalid_scope'
          ? new errors.InvalidScope(plan.description, '')
          : new errors.InvalidTarget(plan.description);
      }
      const { server, scope } = plan;
      noteAudience(attempt, server);
      if (ctx.oidc.params) ctx.oidc.params['scope'] = scope === '' ? undefined : scope;
      const key = active[plan.signingAlg];
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
 * The resource server and the scope that a request asks for. Some credentials work for one resource server only.
 *
 * @throws InvalidTarget when the request names another one
 */
function asked({ resource, scope }: ClientRequest, credential: Credential | undefined): PlanRequest {
  const only = credential && kindOf(credential).onlyAt(credential);
  if (credential === undefined || only === undefined) return { resource, scope };
  if (resource !== undefined && !isNamed(only, resource)) {
    throw new errors.InvalidTarget(`the ${kindOf(credential).noun} is for another resource server`);
  }
  return { resource: only.identifier, scope };
}
