import type { CompanyId } from '../../ids.ts';
import { rolesThatGive } from '../../roles/built-in-roles.ts';
import type { Caller } from '../../service-accounts/caller.ts';
import type { PermissionGrant } from '../grant.ts';
import { type ManagementPermission, ROOT_ONLY } from '../management-permissions.ts';
import { covers } from '../scope-token.ts';

/**
 * Says who can help a caller that lacks the management permission for a call.
 *
 * @param required the scope-token of the permission: its name, or its name at a place
 */
export function helpWithCall(caller: Caller, permission: ManagementPermission, required: string): string {
  if (covers(caller.holdings.get('management'), required)) {
    return 'The account holds it, but the token does not: ask for a token that has it';
  }
  if (caller.company === undefined) return 'A root account that may grant everything can give it';
  if (ROOT_ONLY.has(permission)) return 'Only root accounts may hold it';
  return `The built-in ${listed(rolesThatGive([permission]))} it, there or above: an account that may bind such a role can give it, or a root account`;
}

/**
 * Says who can help a caller that may not grant some permissions.
 *
 * @param missing the permissions that the caller may not grant; at least one
 * @param company the company in which they were to be granted; undefined: they were for a root account
 */
export function helpWithGrants(
  missing: readonly PermissionGrant[],
  { company, self }: { readonly company: CompanyId | undefined; readonly self: boolean },
): string {
  if (self) return 'Another account can give it, if that account may grant all of it';
  if (company === undefined) return 'A root account that may grant everything can give it';
  const ofManagement = missing.filter(({ resourceServerId }) => resourceServerId === 'management');
  if (ofManagement.length < missing.length) {
    return 'An account that holds all of it can grant it, or a root account. A root account can also make permissions of other APIs grantable in the company';
  }
  return `The built-in ${listed(rolesThatGive(ofManagement.map(({ permission }) => permission)))} all of it: an account with such a role there or above can grant it, or a root account`;
}

function listed(roles: readonly string[]): string {
  return roles.length === 1 ? `role ${roles[0]} has` : `roles ${roles.join(', ')} have`;
}
