import { DomainError, type DomainErrorCode, type FieldProblem } from '../../domain-error.ts';
import type { CompanyId, ResourceServerId, RoleId } from '../../ids.ts';
import { type Audience, type Audiences, audiencesById, isNamed } from '../../resource-servers/resource-server.ts';
import type { BindingCandidate } from '../../resource-servers/resource-server-store.ts';
import { lowerRoles, managementPermissionsOf, misplaced } from '../../roles/built-in-roles.ts';
import { isRoleId, type Role, type RolesByKey, rolesByKey } from '../../roles/role.ts';
import type { Stores } from '../../storage.ts';
import { assertEffective } from './holdings.ts';
import { type Grant, grantKey, type PermissionGrant, type RoleGrant } from '../grant.ts';
import { MANAGEMENT_PERMISSIONS, MANAGEMENT_PREFIX } from '../management-permissions.ts';
import { isPermission } from '../permission.ts';
import { parseScopeToken } from '../scope-token.ts';
import type { WrittenPermission } from '../written-grants.ts';

/** A value that a request asks for. */
export interface Asked<Value> {
  readonly value: Value;
  /** The JSON pointer (RFC 6901) to the value in the body; undefined: the value is not in the body. */
  readonly pointer: string | undefined;
}

/** The permissions and roles that are to be granted, as people write them. */
export interface WantedGrants {
  readonly permissions: readonly Asked<WrittenPermission>[];
  /** Ids of roles, some at places. */
  readonly roles: readonly Asked<string>[];
}

/** Gives each item of a list in the body its JSON pointer. */
export function askedIn<Value>(member: string, values: readonly Value[]): Asked<Value>[] {
  return values.map((value, index) => ({ value, pointer: `/${member}/${index}` }));
}

/** Grants, with the roles and resource servers that they refer to. */
export interface BoundGrants {
  readonly grants: readonly Grant[];
  readonly roles: RolesByKey;
  readonly audiences: Audiences;
}

/**
 * Binds wanted permissions and roles to the resource servers and roles that a company, or root, sees. These resource
 * servers and roles do not change until the end of the transaction.
 *
 * @param company undefined: root
 * @throws DomainError `invalid_value` with a pointer for each item that cannot be granted, `ambiguous_permission` when
 *   two resource servers declare one name, `limit_reached` when the roles have too many permissions
 */
export async function bindGrants(
  stores: Pick<Stores, 'resourceServers' | 'roles'>,
  company: CompanyId | undefined,
  { permissions, roles }: WantedGrants,
): Promise<BoundGrants> {
  const named = permissions.map(({ value }) => value);
  const candidates = named.length === 0 ? [] : await stores.resourceServers.candidates(company, namesIn(named));
  const ids = roles.flatMap(({ value }) => parseScopeToken(value)?.name ?? []).filter(isRoleId);
  // The lower built-in roles as well: the holder of a built-in role may bind them.
  const lower = ids.flatMap(lowerRoles).filter(isRoleId);
  await assertBounded(stores, company, permissions.length, ids);
  const visible = ids.length === 0 ? [] : await stores.roles.visible(company, [...new Set([...ids, ...lower])]);
  const problems: (Problem & Pick<Asked<unknown>, 'pointer'>)[] = [];
  const grants = [
    ...permissions.map(({ value, pointer }) => ({ pointer, bound: bindPermission(value, candidates) })),
    ...roles.map(({ value, pointer }) => ({ pointer, bound: bindRole(value, visible) })),
  ].flatMap(({ pointer, bound }): Grant[] => {
    if (!('message' in bound)) return [bound];
    problems.push({ ...bound, pointer });
    return [];
  });
  if (problems.length > 0) throw refusal(problems);
  return {
    grants: [...new Map(grants.map((grant) => [grantKey(grant), grant])).values()],
    roles: rolesByKey(visible),
    audiences: await audiencesOf(stores, candidates, visible),
  };
}

/**
 * Refuses roles that have too many permissions together. A role may have many permissions and be wanted at many places,
 * so this is checked before the permissions are read or expanded.
 *
 * @param permissions the number of wanted permissions
 * @param ids the wanted roles; a role that is wanted at two places is listed twice
 * @throws DomainError `limit_reached`
 */
async function assertBounded(
  { roles }: Pick<Stores, 'roles'>,
  company: CompanyId | undefined,
  permissions: number,
  ids: readonly RoleId[],
): Promise<void> {
  if (ids.length === 0) return;
  const sizes = await roles.sizes(company, [...new Set(ids)]);
  const weigh = (id: RoleId): number => Math.max(1, (sizes.get(id) ?? 0) + managementPermissionsOf(id).length);
  assertEffective(ids.reduce((sum, id) => sum + weigh(id), permissions));
}

interface Problem {
  readonly code: DomainErrorCode;
  readonly message: string;
}

const wrong = (message: string): Problem => ({ code: 'invalid_value', message });

function refusal(problems: readonly (Problem & Pick<Asked<unknown>, 'pointer'>)[]): DomainError {
  const fields = problems.flatMap(({ pointer, message }): FieldProblem[] =>
    pointer === undefined ? [] : [{ pointer, message }],
  );
  const [first] = problems;
  const ambiguous = problems.every(({ code }) => code === 'ambiguous_permission');
  return new DomainError(
    ambiguous ? 'ambiguous_permission' : 'invalid_value',
    fields.length === 0 ? `It cannot be granted: it ${first?.message}` : 'Some of it cannot be granted',
    { fields },
  );
}

function namesIn(wanted: readonly WrittenPermission[]): { names: string[]; identifiers: string[] } {
  const names = wanted.flatMap(
    (item) => parseScopeToken(typeof item === 'string' ? item : item.permission)?.name ?? [],
  );
  return {
    names: [...new Set(names)].filter(isPermission),
    identifiers: [...new Set(wanted.flatMap((item) => (typeof item === 'string' ? [] : [item.resource])))],
  };
}

/** The most resource servers that a refusal names. */
const MOST_NAMED = 10;

const NO_PERMISSION =
  'must be 1 to 128 printable ASCII characters other than space " \\ and @, and not . or .., and its place 1 to 8 segments of A-Z a-z 0-9 . _ -';

function bindPermission(wanted: WrittenPermission, candidates: readonly BindingCandidate[]): PermissionGrant | Problem {
  const qualified = typeof wanted !== 'string';
  const parsed = parseScopeToken(qualified ? wanted.permission : wanted);
  if (parsed === undefined || !isPermission(parsed.name)) return wrong(NO_PERMISSION);
  const { name: permission, place } = parsed;
  const server = qualified ? qualifiedServer(permission, wanted.resource, candidates) : ownerOf(permission, candidates);
  if ('message' in server) return server;
  return { kind: 'permission', permission, place, resourceServerId: server.resourceServerId, qualified };
}

function declares({ resourceServerId, declares: declared }: BindingCandidate, name: string): boolean {
  if (resourceServerId === 'management') return (MANAGEMENT_PERMISSIONS as readonly string[]).includes(name);
  if (name.startsWith(MANAGEMENT_PREFIX)) return false;
  return declared === 'any' || declared.has(name);
}

function qualifiedServer(name: string, resource: string, candidates: readonly BindingCandidate[]): Audience | Problem {
  const server = candidates.find((candidate) => isNamed(candidate, resource));
  if (server === undefined) return wrong(`names no resource server: ${resource}`);
  return declares(server, name) ? server : wrong(`is not declared by ${resource}`);
}

function ownerOf(name: string, candidates: readonly BindingCandidate[]): Audience | Problem {
  const owners = candidates.filter((candidate) => candidate.declares !== 'any' && declares(candidate, name));
  const [only, ...others] = owners;
  if (others.length > 0) {
    return {
      code: 'ambiguous_permission',
      message: `is declared by ${owners
        .map(({ identifier }) => identifier)
        .toSorted()
        .slice(0, MOST_NAMED)
        .join(
          ' and ',
        )}${owners.length > MOST_NAMED ? ' and others' : ''}: say {"permission": "${name}", "resource": "…"}`,
    };
  }
  if (only !== undefined) return only;
  if (name.startsWith(MANAGEMENT_PREFIX)) {
    return wrong(
      `is not a permission of the management API, and only it has names that begin with ${MANAGEMENT_PREFIX}`,
    );
  }
  return candidates.find((candidate) => candidate.declares === 'any') ?? wrong('is declared by no resource server');
}

function bindRole(text: string, visible: readonly Role[]): RoleGrant | Problem {
  const parsed = parseScopeToken(text);
  const role = parsed && visible.find(({ roleId }) => roleId === parsed.name);
  if (parsed === undefined || role === undefined) return wrong('is not a role that exists here');
  const { roleKey, roleId } = role;
  const reason = misplaced(roleKey, parsed.place);
  return reason === undefined ? { kind: 'role', roleKey, roleId, place: parsed.place } : wrong(reason);
}

async function audiencesOf(
  { resourceServers }: Pick<Stores, 'resourceServers'>,
  candidates: readonly BindingCandidate[],
  roles: readonly Role[],
): Promise<Audiences> {
  const known = audiencesById(candidates);
  const wanted = new Set<ResourceServerId>(roles.length === 0 ? [] : ['management']);
  for (const { permissions } of roles) for (const { resourceServerId } of permissions) wanted.add(resourceServerId);
  const missing = [...wanted].filter((id) => !known.has(id));
  return new Map([...known, ...audiencesById(await resourceServers.audiences(missing))]);
}
