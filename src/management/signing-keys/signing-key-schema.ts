import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { KEY_STATES } from '../../domain/signing-keys/key-life.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { TIME } from '../common-schema.ts';

const TIME_OR_NULL = { ...TIME, type: ['string', 'null'] } as const;

export const SIGNING_KEY = {
  title: 'SigningKey',
  type: 'object',
  properties: {
    kid: { type: 'string', description: 'The thumbprint of the public key (RFC 7638), or the name of an imported key' },
    alg: { type: 'string', enum: SIGNING_ALGS },
    state: {
      type: 'string',
      enum: KEY_STATES,
      description:
        'published: it does not sign yet; active: it signs; retired: it signs no more, and its tokens may live',
    },
    createdAt: TIME,
    signsFrom: { ...TIME, description: 'The time at which the key begins to sign' },
    retiredAt: {
      ...TIME_OR_NULL,
      description: 'The time at which the key ceases to sign; null: no key replaces it yet',
    },
    removedAt: {
      ...TIME_OR_NULL,
      description: 'The time at which the key leaves the JWKS; null: it has not been retired',
    },
  },
  required: ['kid', 'alg', 'state', 'createdAt', 'signsFrom', 'retiredAt', 'removedAt'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The body for rotating signing keys. */
export const KEY_ROTATION = {
  title: 'SigningKeyRotationInput',
  type: 'object',
  properties: {
    alg: {
      type: 'string',
      enum: SIGNING_ALGS,
      description: 'When absent: the keys of every algorithm',
      examples: ['ES256'],
    },
    immediate: {
      type: 'boolean',
      description:
        'Whether the next key signs at once: APIs that have kept the JWKS refuse its tokens until they read the JWKS again',
      examples: [false],
    },
  },
  additionalProperties: false,
  examples: [{ alg: 'ES256' }],
} as const satisfies JSONSchema;

/** The answer to a rotation. */
export const ROTATED_KEYS = {
  title: 'RotatedSigningKeys',
  type: 'object',
  properties: {
    keys: { type: 'array', description: 'The keys that sign next', items: SIGNING_KEY },
    breaks: { type: ['string', 'null'], description: 'Who refuses tokens for a while because of this; null: nobody' },
  },
  required: ['keys', 'breaks'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type SigningKeyBody = FromSchema<typeof SIGNING_KEY>;
export type KeyRotationBody = FromSchema<typeof KEY_ROTATION>;
export type RotatedKeysBody = FromSchema<typeof ROTATED_KEYS>;
