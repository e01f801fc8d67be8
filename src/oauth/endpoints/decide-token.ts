import type { Clock } from '../../domain/clock.ts';
import type { RememberedCredential } from '../../domain/credentials/credential.ts';
import { kindOf } from '../../domain/credentials/kinds/kinds.ts';
import { narrowed } from '../../domain/credentials/reach.ts';
import { identifierKey, isNamed } from '../../domain/resource-servers/resource-server.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import type { Exchanged } from '../../domain/tokens/find-exchanged.ts';
import type { WantedToken } from '../../domain/tokens/mint-token.ts';
import { planToken, type PlanRequest, type TokenSettings } from '../../domain/tokens/plan-token.ts';
import type { Attempt, ClientRequest } from '../attempt.ts';
import { OAuthError } from '../refusals/oauth-error.ts';
import { confirmed } from '../ways/possession.ts';

/**
 * Decides which token the recognized client of an attempt gets.
 *
 * @throws OAuthError `invalid_scope`, `invalid_target`, and `invalid_grant` when a proof of possession is missing
 */
export function decideToken(attempt: Attempt, settings: TokenSettings, clock: Clock): WantedToken {
  const { snapshot, credential, request, exchanged } = attempt;
  if (snapshot === undefined || credential === undefined) throw new Error('the client has not been recognized');
  // Without a status entry the token could not be ended early.
  if (credential.status === undefined) throw new Error('the credential has no entry in a status list');
  const within = exchanged?.within;
  const plan = planToken(
    within === undefined ? snapshot : narrowedTo(snapshot, within),
    within === undefined ? asked(request, credential) : askedWithin(request, within),
    settings,
    credential.permissions,
  );
  if ('refused' in plan) throw new OAuthError(400, plan.refused, plan.description);
  const now = clock();
  const confirmation = confirmed(attempt, plan, within, now);
  const left = within === undefined ? Infinity : secondsLeft(within, now);
  return {
    snapshot,
    plan: { ...plan, expiresIn: Math.min(plan.expiresIn, left) },
    actor: undefined,
    confirmation,
    status: credential.status,
  };
}

/**
 * The resource server and the scope that a request asks for. Some credentials work for one resource server only.
 *
 * @throws OAuthError when the request names another one
 */
function asked({ resource, scope }: ClientRequest, credential: RememberedCredential): PlanRequest {
  const only = kindOf(credential).onlyAt(credential);
  if (only === undefined) return { resource, scope };
  if (resource !== undefined && !isNamed(only, resource)) {
    throw invalidTarget(`the ${kindOf(credential).noun} is for another resource server`);
  }
  return { resource: only.identifier, scope };
}

/** The account as a token shows it: with no more than the token has, and the account still holds. */
function narrowedTo(snapshot: RememberedAccount, { permissions }: Within): RememberedAccount {
  return { ...snapshot, holdings: narrowed(snapshot.holdings, [...permissions]) };
}

/**
 * The request for a narrower token: it stays at the audience of the token that is exchanged.
 *
 * @throws OAuthError when the request names another one
 */
function askedWithin({ resource, scope }: ClientRequest, { audience }: Within): PlanRequest {
  if (resource !== undefined && identifierKey(resource) !== identifierKey(audience)) {
    throw invalidTarget('the exchanged token is for another resource server');
  }
  return { resource: audience, scope };
}

function invalidTarget(message: string): OAuthError {
  return new OAuthError(400, 'invalid_target', message);
}

/** The whole seconds that a token has left, and at least one: it has just been found to be valid. */
function secondsLeft({ expiresAt }: Within, now: Date): number {
  return Math.max(1, Math.floor((expiresAt.getTime() - now.getTime()) / 1000));
}

type Within = NonNullable<Exchanged['within']>;
