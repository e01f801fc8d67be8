import { DomainError } from '../domain-error.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import { type Credential, CREDENTIAL_TYPES, type CredentialType } from './credential.ts';
import { endingBy } from './ending-by.ts';
import { assertEnds, nameTaken, type NewCredential } from './issue-credentials.ts';
import type { KindChanges } from './kinds/kind.ts';
import { kindOf, KINDS, withArticle } from './kinds/kinds.ts';
import type { Replacement } from './kinds/rotation-key.ts';
import { lifetimeOf, maxAgeOf } from './lifetime.ts';

/** The changes of a credential: undefined leaves a member as it is, and null takes its value away. */
export interface CredentialChanges extends KindChanges {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly state?: 'enabled' | 'disabled' | undefined;
  /** Seconds from the change until the credential expires; null: as long as the policy allows. */
  readonly lifetime?: number | null | undefined;
  readonly permissions?: readonly string[] | null | undefined;
  readonly extend?: boolean | undefined;
}

/** A credential after a change. @throws DomainError `invalid_value`, `already_rotated` */
export function changedCredential(
  before: Credential,
  changes: CredentialChanges,
  policy: CredentialPolicy,
  now: Date,
): Credential {
  const { name, description, state, lifetime, permissions, extend } = changes;
  // An ending credential may get more time, but not an unlimited lifetime, and its state must not change.
  if (before.state === 'ending' && (state !== undefined || lifetime === null)) {
    throw new DomainError('already_rotated', 'The credential is ending: change its successor instead', {
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
  const kind = kindOf(before);
  return endingBy({ ...kind.change(before, changes), ...described }, kind.endsByItself(before), '');
}

/** @throws DomainError `invalid_value` for a member that only other kinds have */
function assertOwnMembers(before: Credential, changes: CredentialChanges): void {
  for (const type of CREDENTIAL_TYPES) {
    const foreign = KINDS[type].changes.find(
      (name) => changes[name] !== undefined && !kindOf(before).changes.includes(name),
    );
    if (foreign === undefined) continue;
    const message = `goes with ${withArticle(KINDS[type])} only`;
    throw new DomainError('invalid_value', `The member ${message}`, { fields: [{ pointer: `/${foreign}`, message }] });
  }
}

/** Shortens a lifetime to the maximum age: the credential may be older than the present policy. */
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

/**
 * The time at which a rotated credential stops working: after the overlap, or at once if it is disabled. A credential
 * that expires before that time expires as planned.
 */
export function endOf({ state, expiresAt }: Pick<Credential, 'state' | 'expiresAt'>, now: Date, overlap: number): Date {
  const end = new Date(now.getTime() + (state === 'disabled' ? 0 : overlap * 1000));
  return expiresAt !== undefined && expiresAt < end ? expiresAt : end;
}

/** @throws DomainError `already_exists` when another credential that is not ending has the new name */
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
 * The successor of a credential: it gets the same name, rights and lifetime, as far as the present policy allows.
 *
 * @throws DomainError `invalid_value`
 */
export function successorOf(old: Credential, replacement: Replacement, policy: CredentialPolicy): NewCredential {
  const { name, description, permissions, extend } = old;
  const most = maxAgeOf(old.type, policy) ?? Infinity;
  // A lifetime that came from a policy is not copied: the present policy decides it anew.
  const lifetime =
    old.lifetime === undefined || old.expiresByPolicy || (most > 0 && old.lifetime > most) ? undefined : old.lifetime;
  const described = {
    name,
    description,
    permissions,
    lifetime,
    extend: extend && (lifetime !== undefined || most < Infinity),
  };
  return { ...kindOf(old).successor(old, replacement), ...described };
}
