import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { GroupSnapshot } from '../../domain/groups/group.ts';
import type { Groups } from '../../domain/groups/groups.ts';
import { GROUP } from '../groups/group-schema.ts';
import { presentGroup } from '../groups/present-group.ts';

/** A group in the list that miactl reads: miactl takes the members for users. */
export const MIA_GROUP = {
  title: 'MiaGroup',
  type: 'object',
  properties: {
    ...GROUP.properties,
    roleId: { type: 'string', description: 'The same as role' },
    members: {
      type: 'array',
      items: {
        title: 'MiaMember',
        type: 'object',
        properties: {
          userId: { type: 'string', description: 'The clientId of the account' },
          email: { type: 'string', description: 'The slug of the account; a group also takes new members by slug' },
          fullname: { type: 'string' },
          name: { type: 'string' },
        },
        required: ['userId', 'email', 'fullname', 'name'],
        additionalProperties: false,
      },
    },
  },
  required: [...GROUP.required, 'roleId'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type MiaGroupBody = FromSchema<typeof MIA_GROUP>;

/**
 * Shows a group in the list that miactl reads.
 *
 * @param names the names of the members; a member without a name has been deleted meanwhile
 */
export function presentGroupToMiactl(
  snapshot: GroupSnapshot,
  names: Awaited<ReturnType<Groups['memberNames']>>,
): MiaGroupBody {
  const group = presentGroup(snapshot);
  return {
    ...group,
    roleId: group.role,
    members: snapshot.members.flatMap((userId) => {
      const named = names.get(userId);
      return named === undefined ? [] : [{ userId, email: named.slug, fullname: named.name, name: named.name }];
    }),
  };
}
