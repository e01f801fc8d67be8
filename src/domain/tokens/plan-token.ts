import type { ResourceServerId } from '../ids.ts';
import { narrowed } from '../credentials/reach.ts';
import { type AccessRefusal, type AccessRequest, resolveAccess } from '../permissions/rules/resolve-access.ts';
import { parseScope } from '../permissions/requested-scope.ts';
import type { Audience } from '../resource-servers/resource-server.ts';
import { type AccountSnapshot, FIRST_AUDIENCE } from '../service-accounts/service-account.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import { accessTokenSize } from './access-token-size.ts';

/** What tokens are unless their resource server says otherwise. */
export interface TokenSettings {
  readonly issuer: string;
  readonly signingAlg: SigningAlg;
  /** Seconds. */
  readonly tokenTtl: number;
  /** The most that one may last, whatever its resource server says; seconds. */
  readonly tokenMaxTtl: number;
  /** The most that a token may be. */
  readonly tokenMaxBytes: number;
}

/** What one token will be. */
export interface TokenPlan {
  readonly server: Audience;
  /** Scope-tokens, separated by spaces; empty: none. */
  readonly scope: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly signingAlg: SigningAlg;
}

/** What a token request asks for, as it came. */
export interface PlanRequest extends Pick<AccessRequest, 'resource'> {
  /** Scope-tokens, separated by one blank or more. */
  readonly scope: string | undefined;
}

/** A scope of less than this part of the most that a token may be needs no closer look. */
const SURELY_SMALL = 8;

/**
 * Decides what an account that has been authenticated gets for a request, or why nothing.
 *
 * @param subset all that the credential may ask for; undefined: everything that the account holds
 */
export function planToken(
  { account, holdings, audiences }: AccountSnapshot,
  { resource, scope: asked }: PlanRequest,
  settings: TokenSettings,
  subset?: readonly string[],
): TokenPlan | AccessRefusal {
  const requested = parseScope(asked);
  if ('malformed' in requested) return { refused: 'invalid_scope', description: requested.malformed };
  const access = resolveAccess(
    {
      holdings: subset === undefined ? holdings : narrowed(holdings, subset),
      audiences,
      audience: account.audience ?? FIRST_AUDIENCE,
    },
    { resource, scope: requested.tokens },
  );
  if ('refused' in access) return access;
  const { server, permissions } = access;
  const { signingAlg = settings.signingAlg, tokenTtl = settings.tokenTtl } = server;
  const scope = permissions.join(' ');
  // A role or a group may have grown since the account was last written, and one permission has many places.
  if (scope.length * SURELY_SMALL > settings.tokenMaxBytes) {
    const size = accessTokenSize({
      issuer: settings.issuer,
      alg: signingAlg,
      audience: server.identifier,
      clientId: account.clientId,
      company: account.company,
      permissions,
    });
    if (size > settings.tokenMaxBytes) {
      return {
        refused: 'invalid_scope',
        description: `a token with ${requested.tokens === undefined ? `everything that is held at ${server.identifier}` : 'this scope'} would have ${size} bytes, at most ${settings.tokenMaxBytes} are allowed: name a ${requested.tokens === undefined ? '' : 'smaller '}scope`,
      };
    }
  }
  return {
    server,
    scope,
    signingAlg,
    expiresIn: Math.min(tokenTtl, account.tokenTtl ?? Infinity, settings.tokenMaxTtl),
  };
}

/** What an account may do at one resource server, as far as a credential reaches; scope-tokens in alphabetical order. */
export function heldAt(
  { holdings }: Pick<AccountSnapshot, 'holdings'>,
  id: ResourceServerId,
  subset: readonly string[] | undefined,
): string[] {
  const reach = subset === undefined ? holdings : narrowed(holdings, subset);
  return [...(reach.get(id) ?? [])].toSorted();
}
