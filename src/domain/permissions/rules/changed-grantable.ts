import { DomainError, type FieldProblem } from '../../domain-error.ts';
import type { CompanyId } from '../../ids.ts';
import { isNamed } from '../../resource-servers/resource-server.ts';
import type { Stores } from '../../storage.ts';
import { type Asked, bindGrants } from './bind-grants.ts';
import type { PermissionGrant } from '../grant.ts';
import type { Grantable, GrantableChanges, WrittenGrantable } from '../grantable.ts';
import { MANAGEMENT_PREFIX } from '../management-permissions.ts';
import { EVERYWHERE } from '../place.ts';
import { parseScopeToken } from '../scope-token.ts';
import { inOrder, type WrittenPermission } from '../written-grants.ts';

/**
 * Works out which permissions become grantable and which cease to be grantable. A permission that stays keeps its
 * resource server, even if another one has declared its name since. The resource servers of new permissions do not
 * change until the end of the transaction.
 *
 * @param before the permissions that are grantable before the change
 * @param wanted all permissions that are to be grantable; undefined: nothing changes
 * @throws DomainError `invalid_value` with a pointer for each item that cannot be grantable, `ambiguous_permission`
 */
export async function changedGrantable(
  stores: Pick<Stores, 'resourceServers' | 'roles'>,
  company: CompanyId,
  before: readonly Grantable[],
  wanted: readonly WrittenGrantable[] | undefined,
): Promise<GrantableChanges> {
  if (wanted === undefined) return { added: [], removed: [], grantable: before };
  const kept = before.filter((one) => wanted.some((value) => says(one, value)));
  const missing = wanted
    .map((value, index) => ({ value, pointer: `/grantable/${index}` }))
    .filter(({ value }) => !before.some((one) => says(one, value)));
  const bound = await bindGrantable(stores, company, missing);
  const all = new Map([...bound, ...kept].map((one) => [grantableKey(one), one]));
  const known = new Set(before.map(grantableKey));
  return {
    added: [...all.values()].filter((one) => !known.has(grantableKey(one))),
    removed: before.filter((one) => !all.has(grantableKey(one))),
    grantable: [...all.values()],
  };
}

/** Whether a written permission or resource server means this `Grantable`. */
function says({ permission, qualified, ...server }: Grantable, written: WrittenGrantable): boolean {
  if (typeof written === 'string') return permission === written && !qualified;
  const named = 'permission' in written ? written.permission : undefined;
  return permission === named && isNamed(server, written.resource);
}

async function bindGrantable(
  stores: Pick<Stores, 'resourceServers' | 'roles'>,
  company: CompanyId,
  asked: readonly { readonly value: WrittenGrantable; readonly pointer: string }[],
): Promise<Grantable[]> {
  const identifiers = asked.flatMap(({ value }) => (isWhole(value) ? [value.resource] : []));
  const candidates =
    identifiers.length === 0 ? [] : await stores.resourceServers.candidates(company, { names: [], identifiers });
  const problems: FieldProblem[] = [];
  const whole: Grantable[] = [];
  const permissions: Asked<WrittenPermission>[] = [];
  for (const { value, pointer } of asked) {
    const server = isWhole(value) ? candidates.find((one) => isNamed(one, value.resource)) : undefined;
    const message = isWhole(value) ? whyNotServer(server) : whyNotPermission(value);
    if (message !== undefined) problems.push({ pointer, message });
    else if (server !== undefined) whole.push({ ...server, permission: undefined, qualified: true });
    else if (!isWhole(value)) permissions.push({ value, pointer });
  }
  if (problems.length > 0) {
    throw new DomainError('invalid_value', 'Some of it cannot be grantable', { fields: problems });
  }
  const { grants, audiences } = await bindGrants(stores, company, { permissions, roles: [] });
  const single = grants.flatMap((grant): Grantable[] => {
    if (grant.kind === 'role') return [];
    const { permission, resourceServerId, qualified } = grant;
    const identifier = audiences.get(resourceServerId)?.identifier ?? resourceServerId;
    return [{ resourceServerId, identifier, permission, qualified }];
  });
  return [...whole, ...single];
}

/** Identifies a `Grantable`: two with the same key are the same, in whichever form they were written. */
function grantableKey({ resourceServerId, permission }: Grantable): string {
  return `${resourceServerId} ${permission ?? ''}`;
}

/** Whether a permission is grantable. Its place does not matter: it is grantable at every place. */
export function isGrantable(grantable: readonly Grantable[], grant: PermissionGrant): boolean {
  return grantable.some(
    ({ resourceServerId, permission }) =>
      resourceServerId === grant.resourceServerId && (permission === undefined || permission === grant.permission),
  );
}

/** The list as it was written: whole resource servers, then permissions, both in alphabetical order. */
export function writtenGrantable(grantable: readonly Grantable[]): WrittenGrantable[] {
  const whole = grantable.flatMap(({ identifier, permission }) => (permission === undefined ? [identifier] : []));
  const single = grantable.flatMap(({ identifier, permission, qualified }): WrittenPermission[] =>
    permission === undefined ? [] : [qualified ? { permission, resource: identifier } : permission],
  );
  return [...whole.toSorted().map((resource) => ({ resource })), ...inOrder(single)];
}

function isWhole(value: WrittenGrantable): value is { readonly resource: string } {
  return typeof value !== 'string' && !('permission' in value);
}

const OF_MANAGEMENT = 'belongs to the management API: its permissions are granted by accounts that hold them';

function whyNotServer(server: Pick<Grantable, 'resourceServerId'> | undefined): string | undefined {
  if (server === undefined) return 'names no resource server that the company sees';
  return server.resourceServerId === 'management' ? OF_MANAGEMENT : undefined;
}

function whyNotPermission(value: WrittenPermission): string | undefined {
  const parsed = parseScopeToken(typeof value === 'string' ? value : value.permission);
  if (parsed?.name.startsWith(MANAGEMENT_PREFIX)) return OF_MANAGEMENT;
  return parsed !== undefined && parsed.place !== EVERYWHERE
    ? 'must not name a place: a permission is grantable at every place'
    : undefined;
}
