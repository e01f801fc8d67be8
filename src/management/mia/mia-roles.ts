import type { FromSchema } from 'json-schema-to-ts';
import { DomainError } from '../../domain/domain-error.ts';
import type { Place } from '../../domain/ids.ts';
import { EVERYWHERE, isPlace } from '../../domain/permissions/place.ts';
import type { WantedChanges } from '../../domain/permissions/rules/changed-grants.ts';
import type { PROJECTS_ROLE } from './mia-schema.ts';

type RolesAt = NonNullable<WantedChanges['rolesAt']>;

/**
 * Reads the changes of roles that Mia's clients send: `role` for the whole company, `projectsRole` for projects and
 * their environments, which are the first two segments of places. An empty role removes the present one, but beside
 * `environmentsRole` the empty role of a project changes nothing; of two changes for one place, the later one counts.
 *
 * @returns undefined when the request has no such change
 * @throws DomainError `invalid_value` when the request has `roles` as well
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
    throw new DomainError('invalid_value', 'The request names the roles in two ways', {
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
