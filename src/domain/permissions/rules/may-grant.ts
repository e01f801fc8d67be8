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

/** The account, group or role that is to get grants, with the roles and resource servers that the grants refer to. */
export interface GrantTarget {
  /** Undefined: root. */
  readonly company: CompanyId | undefined;
  /** Whether the caller would get the grants, too: the caller is the account, is in the group or has the role. */
  readonly self: boolean;
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Refuses grants of permissions that the caller does not hold at the same place or above. Four exceptions apply unless
 * the caller would get the grants, too:
 *
 * - A caller that has a built-in role may bind the same role and lower ones there.
 * - A caller that manages the resource servers of a company may grant their permissions inside the company.
 * - A caller that manages the accounts of a company may grant permissions that root has made grantable there.
 * - A caller that holds `writ.permissions.grant` may grant every permission.
 *
 * @throws DomainError `forbidden`, naming the permissions that the caller may not grant or the account may not hold
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
    target.self ? 'No account may widen its own permissions' : 'Nobody grants what they do not hold',
    target,
  );
}

/**
 * Refuses a caller that may not grant everything that an account may do: with a credential of the account, the caller
 * could do all of it.
 *
 * @param grants the grants of the account and of its groups
 * @param within the scope-tokens that the credential may ask for; undefined: everything
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

/** Leaves out the permissions that root has made grantable in the company, if the caller manages accounts there. */
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

/** The most permissions that a refusal names. */
const MOST_NAMED = 10;

/** @throws DomainError `forbidden` if there are missing permissions, naming them and who can help */
function assertNothing(missing: readonly PermissionGrant[], message: string, target: GrantTarget): void {
  if (missing.length === 0) return;
  const names = new Set(missing.map(grantName));
  const more = names.size > MOST_NAMED ? ` and ${names.size - MOST_NAMED} more` : '';
  throw new DomainError(
    'forbidden',
    `${message}: ${[...names].slice(0, MOST_NAMED).join(' ')}${more}. ${helpWithGrants(missing, target)}`,
  );
}

/** The permissions of grants that the caller neither holds nor may grant by the other three exceptions. */
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
 * Refuses a caller that does not hold a management permission at a place or above.
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

/**
 * Refuses permissions that reach beyond a company: only root accounts may hold them.
 *
 * @throws DomainError `forbidden`
 */
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
 * The permissions of a grant, and those that its holder can give to others. The holder of a built-in role that may bind
 * roles can bind every lower built-in role, including the permissions that root has added to the lower role.
 *
 * @param within the scope-tokens to which the grant's own permissions are narrowed; undefined: they are not narrowed
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

/** The part of a permission that `within` covers: the permission itself, or the same permission at places below. */
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

/** At the management API the permissions of the token count, not those of the account: a narrowed token grants less. */
function heldBy(caller: Caller, resourceServerId: ResourceServerId): ReadonlySet<string> | undefined {
  return resourceServerId === 'management' ? caller.permissions : caller.holdings.get(resourceServerId);
}

/** Whether the resource server of a permission belongs to the company, and the caller manages its resource servers. */
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
    // The permissions of the token count: a narrowed token grants less.
    managementPermissionsOf(roleKey).every((permission) => covers(caller.permissions, scopeToken(permission, place)))
  );
}
