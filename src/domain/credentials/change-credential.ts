import { DomainError } from '../domain-error.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import { type Credential, CREDENTIAL_TYPES, type CredentialType } from './credential.ts';
import { assertEnds, nameTaken, type NewCredential } from './issue-credentials.ts';
import type { KindChanges } from './kinds/kind.ts';
import { kindOf, KINDS } from './kinds/kinds.ts';
import { lifetimeOf, maxAgeOf } from './lifetime.ts';

/** What is to become of a credential: undefined leaves a member as it is, null takes it away. */
export interface CredentialChanges extends KindChanges {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly state?: 'enabled' | 'disabled' | undefined;
  /** Seconds from now. */
  readonly lifetime?: number | null | undefined;
  readonly permissions?: readonly string[] | null | undefined;
  readonly extend?: boolean | undefined;
}

/** @throws DomainError `invalid_value`, `already_rotated` */
export function changedCredential(
  before: Credential,
  changes: CredentialChanges,
  policy: CredentialPolicy,
  now: Date,
): Credential {
  const { name, description, state, lifetime, permissions, extend } = changes;
  // It may be given more time, and not for ever.
  if (before.state === 'ending' && (state !== undefined || lifetime === null)) {
    throw new DomainError('already_rotated', 'It is ending: its successor can be changed', {
      existing: before.successor,
    });
  }
  const described = {
    name: name === undefined ? before.name : (name ?? undefined),
    description: description === undefined ? before.description : (description ?? undefined),
    state: state ?? before.state,
    extend: extend ?? before.extend,
    ...(extend === true && { lifetime: atMost(before.lifetime, maxAgeOf(before.type, policy)) }),
    ...(lifetime !== undefined && renewed(before.type, lifetime, policy, now)),
    permissions: permissions === undefined ? before.permissions : (permissions ?? undefined),
  };
  if (described.extend) assertEnds('lifetime' in described ? described.lifetime : before.lifetime, '/extend');
  assertOwnMembers(before, changes);
  return { ...kindOf(before).change(before, changes), ...described };
}

/** @throws DomainError `invalid_value` for a member that only other kinds have */
function assertOwnMembers(before: Credential, changes: CredentialChanges): void {
  for (const type of CREDENTIAL_TYPES) {
    const { changes: members, noun } = KINDS[type];
    const foreign = members.find((name) => changes[name] !== undefined && !kindOf(before).changes.includes(name));
    if (foreign === undefined) continue;
    throw new DomainError('invalid_value', `It goes with ${noun} only`, {
      fields: [{ pointer: `/${foreign}`, message: `goes with ${noun} only` }],
    });
  }
}

/** An older one may have been given more than the policy allows now. */
function atMost(lifetime: number | undefined, most: number | undefined): number | undefined {
  return lifetime === undefined || most === undefined ? lifetime : Math.min(lifetime, most);
}

function renewed(
  type: CredentialType,
  asked: number | null,
  policy: CredentialPolicy,
  now: Date,
): Pick<Credential, 'lifetime' | 'expiresByPolicy' | 'expiresAt'> {
  const given = lifetimeOf(type, asked ?? undefined, policy, '');
  const { lifetime } = given;
  return { ...given, expiresAt: lifetime === undefined ? undefined : new Date(now.getTime() + lifetime * 1000) };
}

/** When one that is rotated stops working: after the overlap, never later than it would have, and now if it is disabled. */
export function endOf({ state, expiresAt }: Pick<Credential, 'state' | 'expiresAt'>, now: Date, overlap: number): Date {
  const end = new Date(now.getTime() + (state === 'disabled' ? 0 : overlap * 1000));
  return expiresAt !== undefined && expiresAt < end ? expiresAt : end;
}

/** @throws DomainError `already_exists` when another one has the name */
export function assertUnlikeOthers(
  credentials: readonly Credential[],
  before: Credential,
  { name }: CredentialChanges,
): void {
  if (typeof name !== 'string' || before.state === 'ending') return;
  const other = credentials.find((one) => one !== before && one.state !== 'ending' && one.name === name);
  if (other !== undefined) throw nameTaken(name, other.credentialId);
}

/**
 * What is to take the place of a credential: it has its name, its rights and its lifetime, as far as the policy allows
 * that now.
 *
 * @throws DomainError `invalid_value`
 */
export function successorOf(old: Credential, publicKey: unknown, policy: CredentialPolicy): NewCredential {
  const { name, description, permissions, extend } = old;
  const most = maxAgeOf(old.type, policy) ?? Infinity;
  // What a policy gave, it gives anew.
  const lifetime =
    old.lifetime === undefined || old.expiresByPolicy || (most > 0 && old.lifetime > most) ? undefined : old.lifetime;
  const described = {
    name,
    description,
    permissions,
    lifetime,
    extend: extend && (lifetime !== undefined || most < Infinity),
  };
  return { ...kindOf(old).successor(old, publicKey), ...described };
}
