import { DomainError } from '../../domain-error.ts';
import { type Asked, askedIn, type BoundGrants, bindGrants } from './bind-grants.ts';
import type { WrittenPermission } from '../written-grants.ts';
import { type Grant, grantKey, grantName, isRoleGrant } from '../grant.ts';
import { scopeToken } from '../scope-token.ts';
import { type Audiences, isNamed } from '../../resource-servers/resource-server.ts';
import type { RolesByKey } from '../../roles/role.ts';
import type { Stores } from '../../storage.ts';
import type { CompanyId, Place } from '../../ids.ts';

/** What is to become of the permissions and roles of an account or a group. */
export interface WantedChanges {
  /** All of them, instead of those that it has. */
  readonly permissions?: readonly WrittenPermission[] | undefined;
  readonly addPermission?: string | undefined;
  readonly removePermission?: string | undefined;
  /** All of them, instead of those that it has. */
  readonly roles?: readonly string[] | undefined;
  readonly addRole?: string | undefined;
  readonly removeRole?: string | undefined;
  /** At each of these places the one role that it has there, or none. */
  readonly rolesAt?: readonly { readonly place: Place; readonly role: string | undefined }[] | undefined;
}

/** What a change of grants comes to. */
export interface GrantChanges {
  readonly added: readonly Grant[];
  readonly removed: readonly Grant[];
  /** All that there are then. */
  readonly grants: readonly Grant[];
  /** Of what was added and of what was there. */
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Works out which grants come and which go. A grant that stays keeps its binding, whatever has been declared since.
 *
 * @param before what there is, with everything that it refers to
 * @throws DomainError `invalid_value`, `ambiguous_permission`, and `not_found` for one that is to go and is not there
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

/** Whether a grant is what is written here. */
function says(grant: Grant, wanted: WrittenPermission, audiences: Audiences): boolean {
  if (typeof wanted === 'string')
    return grantName(grant) === wanted && !(grant.kind === 'permission' && grant.qualified);
  if (grant.kind === 'role' || grantName(grant) !== wanted.permission) return false;
  const server = audiences.get(grant.resourceServerId);
  return server !== undefined && isNamed(server, wanted.resource);
}
