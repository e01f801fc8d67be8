import type { Audiences } from '../resource-servers/resource-server.ts';
import { type Grant, grantName } from './grant.ts';
import { scopeToken } from './scope-token.ts';
import { EVERYWHERE } from './place.ts';

/** A permission as people write it: its name, or its name and its resource server. The name may be at a place. */
export type WrittenPermission = string | { readonly permission: string; readonly resource: string };

/** The roles among grants as they were written, some at places, in alphabetical order. */
export function writtenRoles(grants: readonly Grant[]): string[] {
  return grants.flatMap((grant) => (grant.kind === 'role' ? [grantName(grant)] : [])).toSorted();
}

/** The permissions among grants as they were written, in alphabetical order. */
export function writtenPermissions(grants: readonly Grant[], audiences: Audiences): WrittenPermission[] {
  return inOrder(
    grants.flatMap((grant) => (grant.kind === 'permission' ? [written(grant, grantName(grant), audiences)] : [])),
  );
}

/** The permissions of a role as they were written, in alphabetical order. */
export function writtenMembers(
  members: readonly { permission: string; resourceServerId: Parameters<Audiences['get']>[0]; qualified: boolean }[],
  audiences: Audiences,
): WrittenPermission[] {
  return inOrder(members.map((member) => written(member, scopeToken(member.permission, EVERYWHERE), audiences)));
}

function written(
  { resourceServerId, qualified }: { resourceServerId: Parameters<Audiences['get']>[0]; qualified: boolean },
  name: string,
  audiences: Audiences,
): WrittenPermission {
  if (!qualified) return name;
  return { permission: name, resource: audiences.get(resourceServerId)?.identifier ?? resourceServerId };
}

/** Sorts permissions by their names and resource servers. */
export function inOrder(written: readonly WrittenPermission[]): WrittenPermission[] {
  const key = (one: WrittenPermission): string => (typeof one === 'string' ? one : `${one.permission} ${one.resource}`);
  const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
  return written.toSorted((one, other) => compare(key(one), key(other)));
}
