import type { FromSchema } from 'json-schema-to-ts';

/** The query of what takes things from others when it says so. */
export const CASCADE = {
  type: 'object',
  properties: { cascade: { type: 'boolean', description: 'Takes what goes from whoever has it' } },
  additionalProperties: false,
} as const;

export type Cascade = FromSchema<typeof CASCADE>;

export const IN_USE = 'It is in use (`in_use`): the detail says by whom, and `cascade` takes it from them';
