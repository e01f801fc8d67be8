import { DomainError } from '../../domain-error.ts';
import type { Membership } from '../../groups/group.ts';
import type { CompanyId, GroupId, ResourceServerId, RoleId } from '../../ids.ts';
import { permissionsOf, ROOT_ROLE } from '../../roles/built-in-roles.ts';
import type { RolesByKey } from '../../roles/role.ts';
import type { Grant, PermissionGrant, RoleGrant } from '../grant.ts';
import { ROOT_ONLY } from '../management-permissions.ts';
import { scopeToken } from '../scope-token.ts';

/** What an account was given, and what that refers to. */
export interface Rights {
  /** Directly. */
  readonly grants: readonly Grant[];
  readonly groups: readonly Membership[];
  /** Every role among the grants, its own and its groups'. */
  readonly roles: RolesByKey;
}

/** One permission that an account has, and one way by which it came to it. */
export interface EffectivePermission extends Pick<PermissionGrant, 'permission' | 'place' | 'resourceServerId'> {
  /** The group that was given it; undefined: the account was. */
  readonly group: GroupId | undefined;
  /** The role that it is part of; undefined: it was given by itself. */
  readonly role: RoleId | undefined;
}

/** What an account may do, per resource server: scope-tokens, sorted. */
export type Holdings = ReadonlyMap<ResourceServerId, ReadonlySet<string>>;

/**
 * Works out from what an account was given what it may do where, and by which way.
 *
 * @param company the one that the account belongs to: then nothing counts that reaches beyond it, whatever was granted
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
      // A role or a group may have grown since the account was last written.
      if (all.length >= MOST_EFFECTIVE) break;
      for (const one of expanded(grant, of)) {
        const beyond = company !== undefined && one.resourceServerId === 'management' && ROOT_ONLY.has(one.permission);
        if (!beyond) all.push(one);
      }
    }
  }
  return all.slice(0, MOST_EFFECTIVE);
}

/** So many permissions, each way to one counted, an account has at most; what is beyond does not count. */
export const MOST_EFFECTIVE = 10_000;

/** @throws DomainError `limit_reached` */
export function assertEffective(count: number): void {
  if (count <= MOST_EFFECTIVE) return;
  throw new DomainError(
    'limit_reached',
    `An account has at most ${MOST_EFFECTIVE} permissions, through its roles and groups as well: here ${count}`,
  );
}

/** How many permissions an account comes to have, each way to one counted. */
export function numberOfEffective({ grants, groups, roles }: Rights): number {
  const weigh = (grant: Grant): number => {
    const role = grant.kind === 'role' ? roles.get(grant.roleKey) : undefined;
    return role === undefined ? 1 : permissionsOf(role).length;
  };
  return [...grants, ...groups.flatMap((group) => group.grants)].reduce((sum, grant) => sum + weigh(grant), 0);
}

/** What an account may do where, whichever way it came to it. */
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

/** The roles that an account has, its own and its groups'. */
export function roleGrantsOf({ grants, groups }: Pick<Rights, 'grants' | 'groups'>): RoleGrant[] {
  return [...grants, ...groups.flatMap((group) => group.grants)].filter((grant) => grant.kind === 'role');
}
