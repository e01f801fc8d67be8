import type { AccountChanges } from '../../domain/service-accounts/service-accounts.ts';
import { EVERYWHERE, isPlace, type Place } from '../../domain/permissions/place.ts';
import type { ChangedServiceAccountBody } from './service-account-schema.ts';

type RolesAt = NonNullable<AccountChanges['rolesAt']>;

/**
 * The changes of roles as Mia's clients send them: `role` for the company as a whole, `projectsRole` for projects and
 * their environments, which are the first two segments of places. An empty role takes away; beside `environmentsRole` it
 * changes nothing.
 *
 * @returns undefined where they send none
 */
export function rolesAt(
  role: ChangedServiceAccountBody['role'] | undefined,
  projectsRole: ChangedServiceAccountBody['projectsRole'] | undefined,
): RolesAt | undefined {
  if (role === undefined && projectsRole === undefined) return undefined;
  return [
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
}

function orNone(role: string): string | undefined {
  return role === '' ? undefined : role;
}

function placeOf(path: string): Place {
  if (!isPlace(path)) throw new Error(`the schema let ${path} through, which is no place`);
  return path;
}
