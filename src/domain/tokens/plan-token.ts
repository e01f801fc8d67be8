import { type Constraint, constraintsOf } from '../possession/sender-constraint.ts';
import { isRoot } from '../service-accounts/is-root.ts';
import { type Profile, takesAlg } from '../profile.ts';
import type { ResourceServerId } from '../ids.ts';
import { narrowed } from '../credentials/reach.ts';
import { type AccessRefusal, type AccessRequest, resolveAccess } from '../permissions/rules/resolve-access.ts';
import { parseScope } from '../permissions/requested-scope.ts';
import type { Audience } from '../resource-servers/resource-server.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { FIRST_AUDIENCE } from '../service-accounts/service-account.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import { accessTokenSize } from './access-token-size.ts';

/** The settings for tokens. A resource server may have another algorithm and another lifetime. */
export interface TokenSettings {
  readonly issuer: string;
  readonly profile: Profile;
  readonly signingAlg: SigningAlg;
  /** The lifetime of tokens, in seconds. */
  readonly tokenTtl: number;
  /** The longest lifetime of tokens, in seconds: it holds for every resource server. */
  readonly tokenMaxTtl: number;
  /** The most bytes that a token may have. */
  readonly tokenMaxBytes: number;
}

/** The decisions about one token. */
export interface TokenPlan {
  readonly server: Audience;
  /** Scope-tokens, separated by spaces; empty: none. */
  readonly scope: string;
  /** The lifetime of the token, in seconds. */
  readonly expiresIn: number;
  readonly signingAlg: SigningAlg;
  /** The proofs that the token needs: its account or its resource server asks for them. */
  readonly constraints: readonly Constraint[];
}

/** The parameters of a token request, as they were sent. */
export interface PlanRequest extends Pick<AccessRequest, 'resource'> {
  /** Scope-tokens, separated by one or more spaces. */
  readonly scope: string | undefined;
}

/** A token surely fits if its scope is shorter than the allowed size divided by this number. */
const SURELY_SMALL = 8;

/**
 * Decides which token an authenticated account gets for a request, or why it gets none.
 *
 * @param subset the scope-tokens that the credential may ask for; undefined: everything that the account holds
 */
export function planToken(
  { account, holdings, audiences }: RememberedAccount,
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
  const { tokenTtl = settings.tokenTtl } = server;
  const signingAlg = signingAlgOf(server, settings);
  const scope = permissions.join(' ');
  // The size was checked when the account was last changed. But a role or a group may have grown since then, and a
  // request may name many places of one permission.
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
    constraints: mustBeBound({ account, holdings }, server, settings)
      ? constraintsOf(account, server, { senderConstraint: 'any' })
      : constraintsOf(account, server),
    expiresIn: Math.min(tokenTtl, account.tokenTtl ?? Infinity, settings.tokenMaxTtl),
  };
}

/** The algorithm for the tokens of a resource server. It may have been chosen before the profile. */
function signingAlgOf({ signingAlg }: Audience, settings: TokenSettings): SigningAlg {
  return signingAlg !== undefined && takesAlg(settings.profile, signingAlg) ? signingAlg : settings.signingAlg;
}

/**
 * Whether a token must be bound to a key because the profile says so. Root reaches the management API without a key: a
 * lost key would lock everybody out, and no other account could be made on the first day.
 */
function mustBeBound(
  holder: Pick<RememberedAccount, 'account' | 'holdings'>,
  { resourceServerId }: Audience,
  { profile }: TokenSettings,
): boolean {
  return profile === 'fapi2' && !(resourceServerId === 'management' && isRoot(holder));
}

/**
 * The scope-tokens that an account holds at one resource server, in alphabetical order.
 *
 * @param subset the scope-tokens that a credential may ask for; undefined: everything that the account holds
 */
export function heldAt(
  { holdings }: Pick<RememberedAccount, 'holdings'>,
  id: ResourceServerId,
  subset: readonly string[] | undefined,
): string[] {
  const reach = subset === undefined ? holdings : narrowed(holdings, subset);
  return [...(reach.get(id) ?? [])].toSorted();
}
