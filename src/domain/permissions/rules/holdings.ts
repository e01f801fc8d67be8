import { DomainError } from '../../domain-error.ts';
import type { Membership } from '../../groups/group.ts';
import type { CompanyId, GroupId, ResourceServerId, RoleId } from '../../ids.ts';
import { permissionsOf, ROOT_ROLE } from '../../roles/built-in-roles.ts';
import type { RolesByKey } from '../../roles/role.ts';
import type { Grant, PermissionGrant, RoleGrant } from '../grant.ts';
import { ROOT_ONLY } from '../management-permissions.ts';
import { scopeToken } from '../scope-token.ts';

/** The grants of an account and of its groups, with the roles that they refer to. */
export interface Rights {
  /** The grants of the account itself. */
  readonly grants: readonly Grant[];
  readonly groups: readonly Membership[];
  /** Every role in the grants of the account and of its groups. */
  readonly roles: RolesByKey;
}

/** One permission that an account has, and one way by which the account has it. */
export interface EffectivePermission extends Pick<PermissionGrant, 'permission' | 'place' | 'resourceServerId'> {
  /** The group that has the grant; undefined: the account itself has the grant. */
  readonly group: GroupId | undefined;
  /** The role that contains the permission; undefined: the permission itself was granted. */
  readonly role: RoleId | undefined;
}

/** The scope-tokens that an account holds at each resource server, in alphabetical order. */
export type Holdings = ReadonlyMap<ResourceServerId, ReadonlySet<string>>;

/**
 * Works out the effective permissions of an account: a permission that it has in two ways is listed twice.
 *
 * @param company the company of the account: permissions that reach beyond a company are left out, even if they were
 *   granted; undefined: a root account
 */
export function effectivePermissions(
  { grants, groups, roles }: Rights,
  company: CompanyId | undefined,
): EffectivePermission[] {
  const expanded = (grant: Grant, group: GroupId | undefined): EffectivePermission[] => {
    if (grant.kind === 'permission') {
      const { permission, place, resourceServerId } = grant;
      return [{ permission, place, resourceServerId, group, role: undefined }];
    }
    const role = roles.get(grant.roleKey);
    if (role === undefined || (company !== undefined && role.roleKey === ROOT_ROLE)) return [];
    return permissionsOf(role).map(({ permission, resourceServerId }) => ({
      permission,
      place: grant.place,
      resourceServerId,
      group,
      role: role.roleId,
    }));
  };
  const all: EffectivePermission[] = [];
  for (const { of, among } of [
    { of: undefined, among: grants },
    ...groups.map((group) => ({ of: group.groupId, among: group.grants })),
  ]) {
    for (const grant of among) {
      // There may be more than the limit: a role or a group may have grown since the account was last written.
      if (all.length >= MOST_EFFECTIVE) break;
      for (const one of expanded(grant, of)) {
        const beyond = company !== undefined && one.resourceServerId === 'management' && ROOT_ONLY.has(one.permission);
        if (!beyond) all.push(one);
      }
    }
  }
  return all.slice(0, MOST_EFFECTIVE);
}

/** The most effective permissions of an account, counting each way to a permission; those beyond it do not count. */
export const MOST_EFFECTIVE = 10_000;

/** @throws DomainError `limit_reached` */
export function assertEffective(count: number): void {
  if (count <= MOST_EFFECTIVE) return;
  throw new DomainError(
    'limit_reached',
    `An account has at most ${MOST_EFFECTIVE} permissions, through its roles and groups as well: here ${count}`,
  );
}

/** The number of effective permissions of an account, counting each way to a permission. */
export function numberOfEffective({ grants, groups, roles }: Rights): number {
  const weigh = (grant: Grant): number => {
    const role = grant.kind === 'role' ? roles.get(grant.roleKey) : undefined;
    return role === undefined ? 1 : permissionsOf(role).length;
  };
  return [...grants, ...groups.flatMap((group) => group.grants)].reduce((sum, grant) => sum + weigh(grant), 0);
}

/** The effective permissions of an account without the ways by which it has them. */
export function holdingsOf(rights: Rights, company: CompanyId | undefined): Holdings {
  const held = new Map<ResourceServerId, string[]>();
  for (const { permission, place, resourceServerId } of effectivePermissions(rights, company)) {
    const token = scopeToken(permission, place);
    const there = held.get(resourceServerId);
    if (there === undefined) held.set(resourceServerId, [token]);
    else there.push(token);
  }
  return new Map([...held].map(([id, tokens]) => [id, new Set(tokens.toSorted())]));
}

/** The roles that were granted to an account and to its groups. */
export function roleGrantsOf({ grants, groups }: Pick<Rights, 'grants' | 'groups'>): RoleGrant[] {
  return [...grants, ...groups.flatMap((group) => group.grants)].filter((grant) => grant.kind === 'role');
}
