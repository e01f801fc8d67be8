import type { CompanyId } from '../../ids.ts';
import { rolesThatGive } from '../../roles/built-in-roles.ts';
import type { Caller } from '../../service-accounts/caller.ts';
import type { PermissionGrant } from '../grant.ts';
import { type ManagementPermission, ROOT_ONLY } from '../management-permissions.ts';
import { covers } from '../scope-token.ts';

/**
 * Says who can help a caller whose call takes a management permission that it may not use.
 *
 * @param required the permission, with its place if it is at one
 */
export function helpWithCall(caller: Caller, permission: ManagementPermission, required: string): string {
  if (covers(caller.holdings.get('management'), required)) {
    return 'The account holds it and the token does not carry it: ask for a token that does';
  }
  if (caller.company === undefined) return 'A root account that may grant everything can give it';
  if (ROOT_ONLY.has(permission)) return 'Only root accounts may hold it';
  return `The built-in ${listed(rolesThatGive([permission]))} it, there or above: an account that may bind such a role can give it, or a root account`;
}

/**
 * Says who can help a caller that may not grant something.
 *
 * @param missing the permissions that it may not grant; at least one
 * @param company where they were to be granted; undefined: to a root account
 */
export function helpWithGrants(
  missing: readonly PermissionGrant[],
  { company, self }: { readonly company: CompanyId | undefined; readonly self: boolean },
): string {
  if (self) return 'An account that is not the caller can give it, if it may grant all of it';
  if (company === undefined) return 'A root account that may grant everything can give it';
  const ofManagement = missing.filter(({ resourceServerId }) => resourceServerId === 'management');
  if (ofManagement.length < missing.length) {
    return 'An account that holds all of it can grant it, or a root account, which can also make what is of another API grantable in the company';
  }
  return `The built-in ${listed(rolesThatGive(ofManagement.map(({ permission }) => permission)))} all of it: an account with such a role there or above can grant it, or a root account`;
}

function listed(roles: readonly string[]): string {
  return roles.length === 1 ? `role ${roles[0]} has` : `roles ${roles.join(', ')} have`;
}
