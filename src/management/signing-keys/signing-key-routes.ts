import { JWKS_MAX_AGE } from '../../domain/signing-keys/jwks-max-age.ts';
import type { ManageSigningKeys, PublishedKey } from '../../domain/signing-keys/manage-signing-keys.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  KEY_ROTATION,
  type KeyRotationBody,
  ROTATED_KEYS,
  type RotatedKeysBody,
  SIGNING_KEY,
  type SigningKeyBody,
} from './signing-key-schema.ts';

const PATH = '/api/signing-keys';

const COMMON = { tag: 'Signing keys', permission: 'writ.signingkeys.manage' } as const;

/** The text for a rotation that leaves verifiers no time. */
const BREAKS = `APIs that have kept the JWKS refuse tokens of the new key until they read it again, which may take ${JWKS_MAX_AGE} seconds or, where an API reads it at its start only, until then`;

/** The operations on the signing keys of the server. */
export function signingKeyRoutes(signingKeys: ManageSigningKeys): Route[] {
  return [
    defineRoute({
      ...COMMON,
      method: 'GET',
      path: PATH,
      operationId: 'listSigningKeys',
      summary: 'List the keys in the JWKS, newest first',
      replies: { 200: { description: 'The keys', schema: { type: 'array', items: SIGNING_KEY } } },
      async handle() {
        const keys = await signingKeys.list();
        return { status: 200, body: keys.map(present) };
      },
    }),
    defineRoute<KeyRotationBody>({
      ...COMMON,
      method: 'POST',
      path: `${PATH}/rotate`,
      operationId: 'rotateSigningKeys',
      summary: 'Replace signing keys: the next keys are in the JWKS for some minutes before they sign',
      body: KEY_ROTATION,
      bodyOptional: true,
      elsewhere: true,
      replies: { 200: { description: 'The keys that sign next', schema: ROTATED_KEYS } },
      async handle({ caller, body: { alg, immediate = false } }) {
        const keys = await signingKeys.rotate(caller, { alg, immediate });
        const body: RotatedKeysBody = { keys: keys.map(present), breaks: immediate ? BREAKS : null };
        return { status: 200, body };
      },
    }),
    defineRoute({
      ...COMMON,
      method: 'DELETE',
      path: `${PATH}/{kid}`,
      operationId: 'removeSigningKey',
      summary: 'Delete a key that has leaked: its tokens are refused, and another key signs at once',
      replies: { 204: { description: 'The key is in no JWKS any more' } },
      async handle({ caller, param }) {
        await signingKeys.remove(caller, param('kid'));
        return { status: 204 };
      },
    }),
  ];
}

function present({ kid, alg, state, createdAt, signsFrom, retiredAt, removedAt }: PublishedKey): SigningKeyBody {
  return {
    kid,
    alg,
    state,
    createdAt: createdAt.toISOString(),
    signsFrom: signsFrom.toISOString(),
    retiredAt: retiredAt?.toISOString() ?? null,
    removedAt: removedAt?.toISOString() ?? null,
  };
}
