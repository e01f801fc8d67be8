import type { FromSchema } from 'json-schema-to-ts';
import { PLACE_PATTERN } from '../domain/permissions/place.ts';
import type { WantedChanges } from '../domain/permissions/rules/changed-grants.ts';

/** The query of what adds or removes one permission or one role. */
export const AT_PLACE = {
  type: 'object',
  properties: {
    place: { type: 'string', pattern: PLACE_PATTERN, description: 'Where: shop/prod; everywhere when absent' },
  },
  additionalProperties: false,
} as const;

export type AtPlace = FromSchema<typeof AT_PLACE>;

/** A permission or a role of the path, at the place of the query. */
export function atPlace(name: string, { place }: AtPlace): string {
  return place === undefined ? name : `${name}@${place}`;
}

/** What can be done with one permission or one role, of an account as of a group. */
export const ONE_GRANT_OPERATIONS: readonly {
  readonly method: 'PUT' | 'DELETE';
  readonly what: 'permission' | 'role';
  readonly verb: string;
  /** How a summary begins that ends with of what. */
  readonly summary: string;
  changes(text: string): WantedChanges;
}[] = [
  {
    method: 'PUT',
    what: 'permission',
    verb: 'add',
    summary: 'Give one permission to',
    changes: (addPermission) => ({ addPermission }),
  },
  {
    method: 'DELETE',
    what: 'permission',
    verb: 'remove',
    summary: 'Take one permission from',
    changes: (removePermission) => ({ removePermission }),
  },
  { method: 'PUT', what: 'role', verb: 'add', summary: 'Give one role to', changes: (addRole) => ({ addRole }) },
  {
    method: 'DELETE',
    what: 'role',
    verb: 'remove',
    summary: 'Take one role from',
    changes: (removeRole) => ({ removeRole }),
  },
];
