import { isGrantable } from './changed-grantable.ts';
import { DomainError } from '../../domain-error.ts';
import type { CompanyId, Place, ResourceServerId } from '../../ids.ts';
import type { Audiences } from '../../resource-servers/resource-server.ts';
import {
  lowerRoles,
  managementPermissionsOf,
  permissionsOf,
  rankOf,
  rolesThatGive,
  ROOT_ROLE,
} from '../../roles/built-in-roles.ts';
import type { RoleRights, RolesByKey } from '../../roles/role.ts';
import type { Caller } from '../../service-accounts/caller.ts';
import type { Stores } from '../../storage.ts';
import { type Grant, grantName, type PermissionGrant, type RoleGrant } from '../grant.ts';
import { type ManagementPermission, ROOT_ONLY } from '../management-permissions.ts';
import { EVERYWHERE, reaches } from '../place.ts';
import { covers, inCommon, parseScopeToken, scopeToken } from '../scope-token.ts';
import { helpWithCall, helpWithGrants } from './who-can-help.ts';

/** Who is to have what is granted, and what the grants refer to. */
export interface GrantTarget {
  readonly company: CompanyId | undefined;
  /** Whether the caller would have it, too: it is the account, in the group, or has the role. */
  readonly self: boolean;
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Nobody grants what they do not hold at that place or above. Four things lift this: a built-in role may be bound by
 * who has the same or a higher one there; who manages a company's resource servers may grant their permissions inside
 * that company; who manages a company's accounts may grant inside it what root has made grantable there; and
 * `writ.permissions.grant`. None of them lets anybody widen themselves.
 *
 * @throws DomainError `forbidden`, naming what the caller does not hold, or what the account may not
 */
export async function assertMayGrant(
  stores: Pick<Stores, 'companies'>,
  caller: Caller,
  grants: readonly Grant[],
  target: GrantTarget,
): Promise<void> {
  if (target.company !== undefined) assertStaysInside(grants, target.roles);
  assertNothing(
    await notGrantable(stores, caller, notTheirs(caller, grants, target, undefined), target),
    target.self ? 'Nobody widens themselves' : 'Nobody grants what they do not hold',
    target,
  );
}

/**
 * Whoever has a credential of an account can do what that may: so it takes being allowed to grant all of it.
 *
 * @param grants the account's own and its groups'
 * @param within scope-tokens: all that the credential may ask for; undefined: everything
 * @throws DomainError `forbidden`
 */
export async function assertMayActAs(
  stores: Pick<Stores, 'companies'>,
  caller: Caller,
  grants: readonly Grant[],
  target: GrantTarget,
  within: ReadonlySet<string> | undefined,
): Promise<void> {
  const missing = await notGrantable(stores, caller, notTheirs(caller, grants, target, within), target);
  assertNothing(missing, 'The account may do more than the caller', target);
}

/** Of what a caller may not grant otherwise, the part that root has not made grantable in the company either. */
async function notGrantable(
  { companies }: Pick<Stores, 'companies'>,
  caller: Caller,
  missing: readonly PermissionGrant[],
  { company, self }: GrantTarget,
): Promise<readonly PermissionGrant[]> {
  if (missing.length === 0 || company === undefined || self) return missing;
  if (!caller.permissions.has('writ.serviceaccounts.manage')) return missing;
  const grantable = (await companies.find(company))?.grantable ?? [];
  return missing.filter((grant) => !isGrantable(grantable, grant));
}

/** How many permissions a refusal names. */
const MOST_NAMED = 10;

/** @throws DomainError `forbidden`, naming what there is, and who can help */
function assertNothing(missing: readonly PermissionGrant[], message: string, target: GrantTarget): void {
  if (missing.length === 0) return;
  const names = new Set(missing.map(grantName));
  const more = names.size > MOST_NAMED ? ` and ${names.size - MOST_NAMED} more` : '';
  throw new DomainError(
    'forbidden',
    `${message}: ${[...names].slice(0, MOST_NAMED).join(' ')}${more}. ${helpWithGrants(missing, target)}`,
  );
}

/** What a caller neither holds nor may grant all the same. */
function notTheirs(
  caller: Caller,
  grants: readonly Grant[],
  target: GrantTarget,
  within: ReadonlySet<string> | undefined,
): PermissionGrant[] {
  if (!target.self && caller.permissions.has('writ.permissions.grant')) return [];
  return grants
    .filter((grant) => target.self || grant.kind === 'permission' || !hasRoleAsHigh(caller, grant))
    .flatMap((grant) => authorityOf(grant, target.roles, within))
    .filter((grant) => (target.self || !isOwnServers(caller, grant, target)) && !holds(caller, grant));
}

/**
 * Takes a management permission of a caller, at a place or above.
 *
 * @throws DomainError `insufficient_scope`
 */
export function assertAllowed(caller: Caller, permission: ManagementPermission, place: Place = EVERYWHERE): void {
  const required = scopeToken(permission, place);
  if (covers(caller.permissions, required)) return;
  throw new DomainError(
    'insufficient_scope',
    `This takes the permission ${required}. ${helpWithCall(caller, permission, required)}`,
    { required, builtInRoles: rolesThatGive([permission]) },
  );
}

/** What reaches beyond a company is granted to root accounts only. */
function assertStaysInside(grants: readonly Grant[], roles: RolesByKey): void {
  const beyond = grants.filter((grant) =>
    grant.kind === 'role' ? grant.roleKey === ROOT_ROLE || expanded(grant, roles).some(isRootOnly) : isRootOnly(grant),
  );
  if (beyond.length > 0) {
    throw new DomainError('forbidden', `Only root accounts may hold ${beyond.map(grantName).join(' ')}`);
  }
}

function isRootOnly({ permission, resourceServerId }: PermissionGrant): boolean {
  return resourceServerId === 'management' && ROOT_ONLY.has(permission);
}

function expanded(grant: Grant, roles: RolesByKey): PermissionGrant[] {
  if (grant.kind === 'permission') return [grant];
  return permissionsOf(known(grant.roleKey, roles)).map((member) => ({
    ...member,
    kind: 'permission',
    place: grant.place,
  }));
}

/**
 * What a grant comes to, with what it lets its holder give to others: who has a built-in role, and may bind roles, may
 * bind every lower one with whatever root has added to that.
 *
 * @param within as far as this reaches; undefined: all of it
 */
function authorityOf(grant: Grant, roles: RolesByKey, within: ReadonlySet<string> | undefined): PermissionGrant[] {
  const own = expanded(grant, roles).flatMap((one) => narrowed(one, within));
  if (grant.kind === 'permission' || narrowed({ ...BINDING, place: grant.place }, within).length === 0) return own;
  return [
    ...own,
    ...lowerRoles(grant.roleKey).flatMap((roleKey) =>
      expanded({ ...grant, roleKey: known(roleKey, roles).roleKey }, roles),
    ),
  ];
}

const BINDING = { permission: 'writ.roles.bind' } as const satisfies { permission: ManagementPermission };

/** What of a permission is within: it, or the same further down. */
function narrowed<One extends { readonly permission: string; readonly place: Place }>(
  one: One,
  within: ReadonlySet<string> | undefined,
): One[] {
  if (within === undefined) return [one];
  const parts = inCommon(new Set([scopeToken(one.permission, one.place)]), within);
  return [...parts].flatMap((token) => {
    const place = parseScopeToken(token)?.place;
    return place === undefined ? [] : [{ ...one, place }];
  });
}

function known(roleKey: string, roles: RolesByKey): RoleRights {
  const role = [...roles.values()].find((one) => one.roleKey === roleKey);
  if (role === undefined) throw new Error(`the role ${roleKey} is not among those that were read`);
  return role;
}

function holds(caller: Caller, { permission, place, resourceServerId }: PermissionGrant): boolean {
  return covers(heldBy(caller, resourceServerId), scopeToken(permission, place));
}

/** At the management API the token counts, not only the account: a narrowed token grants less. */
function heldBy(caller: Caller, resourceServerId: ResourceServerId): ReadonlySet<string> | undefined {
  return resourceServerId === 'management' ? caller.permissions : caller.holdings.get(resourceServerId);
}

/** What a company's resource server declares may be granted inside the company by who manages it. */
function isOwnServers(
  caller: Caller,
  { resourceServerId }: PermissionGrant,
  { company, audiences }: GrantTarget,
): boolean {
  const owner = audiences.get(resourceServerId)?.company;
  return owner !== undefined && owner === company && caller.permissions.has('writ.resourceservers.manage');
}

function hasRoleAsHigh(caller: Caller, { roleKey, place }: RoleGrant): boolean {
  const rank = rankOf(roleKey);
  if (rank === undefined) return false;
  return (
    caller.roles.some((own) => reaches(own.place, place) && (rankOf(own.roleKey) ?? -1) >= rank) &&
    // A narrowed token grants less.
    managementPermissionsOf(roleKey).every((permission) => covers(caller.permissions, scopeToken(permission, place)))
  );
}
