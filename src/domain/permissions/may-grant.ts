import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Audiences, ResourceServerId } from '../resource-servers/resource-server.ts';
import { lowerRoles, managementPermissionsOf, permissionsOf, rankOf, ROOT_ROLE } from '../roles/built-in-roles.ts';
import type { RoleRights, Roles } from '../roles/role.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Grant, PermissionGrant, RoleGrant } from './grant.ts';
import { grantName } from './grant.ts';
import { type ManagementPermission, ROOT_ONLY } from './management-permissions.ts';
import { EVERYWHERE, type Place, reaches } from './place.ts';
import { covers, inCommon, scopeToken } from './scope-token.ts';

/** Who is to have what is granted, and what the grants refer to. */
export interface GrantTarget {
  readonly company: CompanyId | undefined;
  /** Whether the caller would have it, too: it is the account, in the group, or has the role. */
  readonly self: boolean;
  readonly roles: Roles;
  readonly audiences: Audiences;
}

/**
 * Nobody grants what they do not hold at that place or above. Three things lift this: a built-in role may be bound by
 * who has the same or a higher one there; who manages a company's resource servers may grant their permissions inside
 * that company; and `writ.permissions.grant`. None of them lets anybody widen themselves.
 *
 * @throws DomainError `forbidden`, naming what the caller does not hold, or what the account may not
 */
export function assertMayGrant(caller: Caller, grants: readonly Grant[], target: GrantTarget): void {
  if (target.company !== undefined) assertStaysInside(grants, target.roles);
  const missing = notTheirs(caller, grants, target).map(grantName);
  if (missing.length === 0) return;
  const shown = [...new Set(missing)].slice(0, 10).join(' ');
  throw new DomainError(
    'forbidden',
    target.self ? `Nobody widens themselves: ${shown}` : `Nobody grants what they do not hold: ${shown}`,
  );
}

/**
 * Whoever has a credential of an account can do what that may: so it takes being allowed to grant all of it.
 *
 * @param grants the account's own and its groups'
 * @param within all that the credential may ask for; undefined: everything
 * @throws DomainError `forbidden`
 */
export function assertMayActAs(
  caller: Caller,
  grants: readonly Grant[],
  target: GrantTarget,
  within: ReadonlySet<string> | undefined,
): void {
  const reached = (grant: PermissionGrant): boolean =>
    within === undefined || inCommon(new Set([grantName(grant)]), within).size > 0;
  // A part of what is held at a place or above is held, too.
  const parts = (grant: PermissionGrant): readonly string[] =>
    within === undefined ? [grantName(grant)] : [...inCommon(new Set([grantName(grant)]), within)];
  const missing = notTheirs(caller, grants, target)
    .filter(reached)
    .flatMap((grant) => parts(grant).filter((token) => !covers(heldBy(caller, grant.resourceServerId), token)));
  if (missing.length === 0) return;
  const shown = [...new Set(missing)].slice(0, 10).join(' ');
  throw new DomainError('forbidden', `The account may do more than the caller: ${shown}`);
}

/** What a caller neither holds nor may grant all the same. */
function notTheirs(caller: Caller, grants: readonly Grant[], target: GrantTarget): PermissionGrant[] {
  if (!target.self && caller.permissions.has('writ.permissions.grant')) return [];
  return grants
    .filter((grant) => target.self || grant.kind === 'permission' || !hasRoleAsHigh(caller, grant))
    .flatMap((grant) => authorityOf(grant, target.roles))
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
  throw new DomainError('insufficient_scope', `This takes the permission ${required}`, { required });
}

/** What reaches beyond a company is granted to root accounts only. */
function assertStaysInside(grants: readonly Grant[], roles: Roles): void {
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

function expanded(grant: Grant, roles: Roles): PermissionGrant[] {
  if (grant.kind === 'permission') return [grant];
  return permissionsOf(known(grant.roleKey, roles)).map((member) => ({
    ...member,
    kind: 'permission',
    place: grant.place,
  }));
}

/**
 * What a grant comes to, with what it lets its holder give to others: who has a built-in role may bind every lower one,
 * with whatever root has added to that.
 */
function authorityOf(grant: Grant, roles: Roles): PermissionGrant[] {
  if (grant.kind === 'permission') return [grant];
  const lower = lowerRoles(grant.roleKey).map((roleKey) => known(roleKey, roles).roleKey);
  return [grant.roleKey, ...lower].flatMap((roleKey) => expanded({ ...grant, roleKey }, roles));
}

function known(roleKey: string, roles: Roles): RoleRights {
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
