import type { FromSchema } from 'json-schema-to-ts';

/** The query of operations that delete something that may be in use: `cascade` removes it from its users, too. */
export const CASCADE = {
  type: 'object',
  properties: {
    cascade: {
      type: 'boolean',
      description: 'Whether a deleted role or permission is removed from everything that uses it',
    },
  },
  additionalProperties: false,
} as const;

export type Cascade = FromSchema<typeof CASCADE>;

export const IN_USE = 'It is in use (`in_use`): the detail names its users, and `cascade` removes it from them';
