import type { FromSchema } from 'json-schema-to-ts';
import { PLACE_PATTERN } from '../domain/permissions/place.ts';
import type { WantedChanges } from '../domain/permissions/rules/changed-grants.ts';

/** The query of the operations that add or remove one permission or one role. */
export const AT_PLACE = {
  type: 'object',
  properties: {
    place: {
      type: 'string',
      pattern: PLACE_PATTERN,
      description: 'The place, such as shop/prod; when absent: everywhere',
    },
  },
  additionalProperties: false,
} as const;

export type AtPlace = FromSchema<typeof AT_PLACE>;

/** Combines the permission or role in the path with the place in the query. */
export function atPlace(name: string, { place }: AtPlace): string {
  return place === undefined ? name : `${name}@${place}`;
}

/** The operations that add or remove one permission or one role. Accounts and groups have the same ones. */
export const ONE_GRANT_OPERATIONS: readonly {
  readonly method: 'PUT' | 'DELETE';
  readonly what: 'permission' | 'role';
  readonly verb: string;
  /** The beginning of the summary, before the account or the group. */
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
