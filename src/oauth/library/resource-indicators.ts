import { errors, type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Credential } from '../../domain/credentials/credential.ts';
import { kindOf } from '../../domain/credentials/kinds/kinds.ts';
import { narrowed } from '../../domain/credentials/reach.ts';
import type { Clock } from '../../domain/clock.ts';
import { identifierKey, isNamed } from '../../domain/resource-servers/resource-server.ts';
import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import type { Exchanged } from '../../domain/tokens/find-exchanged.ts';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import { planToken, type PlanRequest, type TokenPlan, type TokenSettings } from '../../domain/tokens/plan-token.ts';
import { type Attempt, attemptOf, type ClientRequest, notePlanned } from '../attempt.ts';
import { exchangeSubject } from '../ways/api-key-way.ts';
import { confirmed, type PossessionTools, provePossession } from '../ways/possession.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

/** The library sees this name for every resource server; `getResourceServerInfo` decides which one it is. */
export const INNER_RESOURCE = 'urn:writ:resource-server';

/**
 * The seam at which the audience and the scope of a token are decided: after the client has been authenticated, and
 * before the library checks the scope. The library never sees the resource and the scope of the request: it takes only
 * absolute URIs as resources, drops unknown scopes, and issues an opaque token when no resource is named
 * (oidc-provider.md, N-16, N-17 and N-26).
 */
export function resourceIndicators(
  settings: TokenSettings,
  keyRing: KeyRing,
  clock: Clock,
  possession: PossessionTools,
): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: () => INNER_RESOURCE,
    getResourceServerInfo(ctx) {
      const attempt = attemptOf(ctx);
      exchangeSubject(attempt);
      // Most requests have no proof, and need not wait for one.
      if (attempt.request.dpop.length === 0) return decide(ctx, attempt);
      return provePossession(attempt, possession).then(() => decide(ctx, attempt));
    },
  };

  /** Decides the audience and the scope of the token of a request. */
  function decide(ctx: KoaContextWithOIDC, attempt: Attempt): ResourceServer {
    const { snapshot, credential, request, exchanged } = attempt;
    if (snapshot === undefined) throw new Error('a client was authenticated without an account');
    const within = exchanged?.within;
    const plan = planToken(
      within === undefined ? snapshot : narrowedTo(snapshot, within),
      within === undefined ? asked(request, credential) : askedWithin(request, within),
      settings,
      credential?.permissions,
    );
    if ('refused' in plan) {
      throw plan.refused === 'invalid_scope'
        ? new errors.InvalidScope(plan.description, '')
        : new errors.InvalidTarget(plan.description);
    }
    const { server, scope } = plan;
    notePlanned(attempt, server, confirmed(attempt, plan, within, clock()));
    if (ctx.oidc.params) ctx.oidc.params['scope'] = scope === '' ? undefined : scope;
    const left = within === undefined ? Infinity : secondsLeft(within, clock());
    return libraryResource({ ...plan, expiresIn: Math.min(plan.expiresIn, left) }, keyRing);
  }
}

/** The resource server of a token in the form of the library. */
export function libraryResource(
  { server, scope, expiresIn, signingAlg }: TokenPlan,
  { active }: KeyRing,
): ResourceServer {
  const { alg, kid } = active[signingAlg];
  return {
    scope,
    audience: server.identifier,
    accessTokenTTL: expiresIn,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg, kid } },
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

/** The account as a token shows it: with no more than the token has, and the account still holds. */
function narrowedTo(snapshot: AccountSnapshot, { permissions }: Within): AccountSnapshot {
  return { ...snapshot, holdings: narrowed(snapshot.holdings, [...permissions]) };
}

/**
 * The request for a narrower token: it stays at the audience of the token that is exchanged.
 *
 * @throws InvalidTarget when the request names another one
 */
function askedWithin({ resource, scope }: ClientRequest, { audience }: Within): PlanRequest {
  if (resource !== undefined && identifierKey(resource) !== identifierKey(audience)) {
    throw new errors.InvalidTarget('the exchanged token is for another resource server');
  }
  return { resource: audience, scope };
}

/** The whole seconds that a token has left, and at least one: it has just been found to be valid. */
function secondsLeft({ expiresAt }: Within, now: Date): number {
  return Math.max(1, Math.floor((expiresAt.getTime() - now.getTime()) / 1000));
}

type Within = NonNullable<Exchanged['within']>;
