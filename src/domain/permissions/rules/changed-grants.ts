import { DomainError } from '../../domain-error.ts';
import { type Asked, askedIn, type BoundGrants, bindGrants } from './bind-grants.ts';
import type { WrittenPermission } from '../written-grants.ts';
import { type Grant, grantKey, grantName, isRoleGrant } from '../grant.ts';
import { scopeToken } from '../scope-token.ts';
import { type Audiences, isNamed } from '../../resource-servers/resource-server.ts';
import type { RolesByKey } from '../../roles/role.ts';
import type { Stores } from '../../storage.ts';
import type { CompanyId, Place } from '../../ids.ts';

/** The wanted changes of the permissions and roles of an account or a group. */
export interface WantedChanges {
  /** All permissions, instead of the present ones. */
  readonly permissions?: readonly WrittenPermission[] | undefined;
  readonly addPermission?: string | undefined;
  readonly removePermission?: string | undefined;
  /** All roles, instead of the present ones. */
  readonly roles?: readonly string[] | undefined;
  readonly addRole?: string | undefined;
  readonly removeRole?: string | undefined;
  /** The only role at each of these places; undefined: no role at the place. */
  readonly rolesAt?: readonly { readonly place: Place; readonly role: string | undefined }[] | undefined;
}

/** The outcome of a change of grants. */
export interface GrantChanges {
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
  /** All grants after the change. */
  readonly grants: readonly Grant[];
  /** The roles in the grants before and after the change. */
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Works out which grants are added and which are removed. A grant that stays keeps its resource server, even if another
 * one has declared its permission since.
 *
 * @param before the present grants
 * @throws DomainError `invalid_value`, `ambiguous_permission`, `limit_reached`, and `not_found` when a grant that is to
 *   be removed does not exist
 */
export async function changedGrants(
  stores: Pick<Stores, 'resourceServers' | 'roles'>,
  company: CompanyId | undefined,
  before: BoundGrants,
  wanted: WantedChanges,
): Promise<GrantChanges> {
  const permissions = before.grants.filter(({ kind }) => kind === 'permission');
  const roles = before.grants.filter(isRoleGrant);
  const kept = new Set<Grant>(before.grants);
  const missing: { permissions: Asked<WrittenPermission>[]; roles: Asked<string>[] } = { permissions: [], roles: [] };
  const found = (among: readonly Grant[], item: WrittenPermission): Grant | undefined =>
    among.find((grant) => says(grant, item, before.audiences));
  const add = (value: string, among: readonly Grant[], to: Asked<string>[] | Asked<WrittenPermission>[]): void => {
    if (found(among, value) === undefined) to.push({ value, pointer: undefined });
  };
  const remove = (text: string, among: readonly Grant[], what: string): void => {
    const named = among.filter((grant) => grantName(grant) === text);
    const [only, ...others] = named;
    const meant = named.find((grant) => grant.kind === 'role' || !grant.qualified) ?? only;
    if (meant === undefined) throw new DomainError('not_found', `There is no such ${what} here`);
    if (meant === only && others.length > 0 && meant.kind === 'permission' && meant.qualified) {
      throw new DomainError('ambiguous_permission', `There are several ${what}s of this name: change the list instead`);
    }
    kept.delete(meant);
  };
  const replace = <Wanted extends WrittenPermission>(
    among: readonly Grant[],
    asked: readonly Asked<Wanted>[],
  ): Asked<Wanted>[] => {
    const stays = new Set(asked.map(({ value }) => found(among, value)));
    for (const grant of among) if (!stays.has(grant)) kept.delete(grant);
    return asked.filter(({ value }) => found(among, value) === undefined);
  };

  if (wanted.permissions !== undefined) {
    missing.permissions.push(...replace(permissions, askedIn('permissions', wanted.permissions)));
  }
  if (wanted.roles !== undefined) missing.roles.push(...replace(roles, askedIn('roles', wanted.roles)));
  if (wanted.addPermission !== undefined) add(wanted.addPermission, permissions, missing.permissions);
  if (wanted.addRole !== undefined) add(wanted.addRole, roles, missing.roles);
  if (wanted.removePermission !== undefined) remove(wanted.removePermission, permissions, 'permission');
  if (wanted.removeRole !== undefined) remove(wanted.removeRole, roles, 'role');
  for (const { place, role } of wanted.rolesAt ?? []) {
    for (const grant of roles) if (grant.place === place && grant.roleId !== role) kept.delete(grant);
    if (role !== undefined) add(scopeToken(role, place), roles, missing.roles);
  }

  const bound: BoundGrants =
    missing.permissions.length + missing.roles.length > 0
      ? await bindGrants(stores, company, missing)
      : { grants: [], roles: new Map(), audiences: new Map() };
  const keys = new Set([...kept].map(grantKey));
  const added = bound.grants.filter((grant) => !keys.has(grantKey(grant)));
  return {
    added,
    removed: before.grants.filter((grant) => !kept.has(grant)),
    grants: [...kept, ...added],
    roles: new Map([...before.roles, ...bound.roles]),
    audiences: new Map([...before.audiences, ...bound.audiences]),
  };
}

/** Whether a written permission or role means this grant. */
function says(grant: Grant, wanted: WrittenPermission, audiences: Audiences): boolean {
  if (typeof wanted === 'string')
    return grantName(grant) === wanted && !(grant.kind === 'permission' && grant.qualified);
  if (grant.kind === 'role' || grantName(grant) !== wanted.permission) return false;
  const server = audiences.get(grant.resourceServerId);
  return server !== undefined && isNamed(server, wanted.resource);
}
