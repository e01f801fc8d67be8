import type { FromSchema } from 'json-schema-to-ts';
import { DomainError } from '../../domain/domain-error.ts';
import type { Place } from '../../domain/ids.ts';
import { EVERYWHERE, isPlace } from '../../domain/permissions/place.ts';
import type { WantedChanges } from '../../domain/permissions/rules/changed-grants.ts';
import type { PROJECTS_ROLE } from './mia-schema.ts';

type RolesAt = NonNullable<WantedChanges['rolesAt']>;

/**
 * The changes of roles as Mia's clients send them: `role` for the company as a whole, `projectsRole` for projects and
 * their environments, which are the first two segments of places. An empty role takes away; beside `environmentsRole` it
 * changes nothing. Of two for one place the later counts.
 *
 * @returns undefined where they send none
 * @throws DomainError `invalid_value` where all roles are said as well
 */
export function rolesAt({
  role,
  projectsRole,
  roles,
}: {
  readonly role: string | undefined;
  readonly projectsRole: FromSchema<typeof PROJECTS_ROLE> | undefined;
  readonly roles: readonly string[] | undefined;
}): RolesAt | undefined {
  if (role === undefined && projectsRole === undefined) return undefined;
  if (roles !== undefined) {
    throw new DomainError('invalid_value', 'The roles are said twice', {
      fields: [{ pointer: '/roles', message: 'excludes role and projectsRole' }],
    });
  }
  const changes = [
    ...(role === undefined ? [] : [{ place: EVERYWHERE, role: orNone(role) }]),
    ...(projectsRole ?? []).flatMap(({ projectId, role: atProject, environmentsRole }) => [
      ...(atProject === undefined || (atProject === '' && environmentsRole !== undefined)
        ? []
        : [{ place: placeOf(projectId), role: orNone(atProject) }]),
      ...(environmentsRole ?? []).map((environment) => ({
        place: placeOf(`${projectId}/${environment.envId}`),
        role: orNone(environment.role),
      })),
    ]),
  ];
  return [...new Map(changes.map((change) => [change.place, change])).values()];
}

function orNone(role: string): string | undefined {
  return role === '' ? undefined : role;
}

function placeOf(path: string): Place {
  if (!isPlace(path)) throw new Error(`the schema let ${path} through, which is no place`);
  return path;
}
