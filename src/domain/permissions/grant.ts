import { DomainError, type FieldProblem } from '../domain-error.ts';
import { MANAGEMENT_PREFIX } from './management-permissions.ts';
import { isPermission, type Permission } from './permission.ts';
import type { ResourceServerId, ResourceServers } from './resource-server.ts';

/** A built-in role. `root` is held by the first root account: every permission of the management API. */
export type RoleId = 'root';

/** Something that was given to an account: a permission at the resource server it was bound to, or a role. */
export type Grant =
  | { readonly kind: 'permission'; readonly permission: Permission; readonly resourceServerId: ResourceServerId }
  | { readonly kind: 'role'; readonly roleId: RoleId };

/**
 * Binds permission names to the resource servers that own them: names that begin with `writ.` to the management API,
 * every other to the default one.
 *
 * @param names as written by the caller
 * @param pointer where they stand in the body, if they do
 * @throws DomainError `invalid_value` with a pointer below `pointer` for every name that cannot be granted
 */
export function bindPermissions(
  names: readonly string[],
  servers: ResourceServers,
  pointer: string | undefined,
): Grant[] {
  const problems: FieldProblem[] = [];
  const grants = [...new Set(names)].flatMap((name): Grant[] => {
    const at = `${pointer ?? ''}/${names.indexOf(name)}`;
    if (!isPermission(name)) {
      problems.push({
        pointer: at,
        message: 'must be 1 to 128 printable ASCII characters other than space " \\ and @, and not . or ..',
      });
      return [];
    }
    if (!name.startsWith(MANAGEMENT_PREFIX)) {
      return [{ kind: 'permission', permission: name, resourceServerId: 'default' }];
    }
    const declared = servers.get('management')?.permissions;
    if (declared !== 'any' && declared?.has(name) === true) {
      return [{ kind: 'permission', permission: name, resourceServerId: 'management' }];
    }
    problems.push({
      pointer: at,
      message: `is not a permission of the management API, and only it has names that begin with ${MANAGEMENT_PREFIX}`,
    });
    return [];
  });
  if (problems.length > 0) {
    const [first] = problems;
    throw pointer === undefined
      ? new DomainError('invalid_value', `The permission cannot be granted: it ${first?.message}`)
      : new DomainError('invalid_value', 'Some permissions cannot be granted', { fields: problems });
  }
  return grants;
}
