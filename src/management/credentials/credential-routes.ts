import type { FromSchema } from 'json-schema-to-ts';
import type { Credentials } from '../../domain/credentials/credentials.ts';
import type { Rotation } from '../../domain/credentials/rotate-credential.ts';
import type { Collection } from '../collection.ts';
import { seconds, secondsOf, secondsOrNone } from '../duration.ts';
import { defineRoute, type Route } from '../route.ts';
import { LAST_ROOT } from '../service-accounts/account-collection.ts';
import {
  CHANGED_CREDENTIAL,
  type ChangedCredentialBody,
  COUNTED_CREDENTIAL,
  CREDENTIAL,
  ISSUED_CREDENTIAL,
  NEW_CREDENTIAL,
  type NewCredentialBody,
  ROTATION,
  type RotationBody,
} from './credential-schema.ts';
import { presentCredential, presentIssuedCredential } from './present-credential.ts';
import { wantedCredential } from './wanted-credentials.ts';
import { workflowFor } from './workflow.ts';

/** Seconds for which the old credential keeps working after a rotation, if the caller does not say otherwise. */
const OVERLAP = 86_400;

const IF_UNUSED = {
  type: 'object',
  properties: {
    // At least a minute: a use may take some seconds until it is in the database.
    ifUnusedFor: {
      type: 'string',
      format: 'minute-or-longer',
      maxLength: 32,
      description:
        'Deletes the credential only if it has not been used for this time: seconds, or an ISO 8601 duration',
      examples: ['86400', 'P1D'],
    },
  },
  additionalProperties: false,
} as const;

/** The operations on the credentials of an account. */
export function credentialRoutes(collection: Collection, credentials: Credentials, issuer: string): Route[] {
  const { tag, operationId, one: account } = collection;
  const path = `${collection.path}/{clientId}/credentials`;
  const single = `${path}/{credentialId}`;
  return [
    defineRoute<NewCredentialBody>({
      method: 'POST',
      path,
      operationId: operationId('add', 'Credential'),
      summary: `Add a credential to a ${account}`,
      tag,
      permission: 'writ.credentials.manage',
      body: NEW_CREDENTIAL,
      revisioned: true,
      replies: { 201: { description: 'The credential; its secret is shown once', schema: ISSUED_CREDENTIAL } },
      refusals: { 409: 'A credential has the name or the key already (`already_exists`): `Location` leads to it' },
      async handle({ caller, company, body, param }) {
        const wanted = wantedCredential(body, '');
        const issued = await credentials.add(caller, company, param('clientId'), wanted);
        const { credentialId, revision } = issued.credential;
        const workflow = workflowFor(body, issued, { issuer, clientId: issued.clientId });
        return { status: 201, body: presentIssuedCredential(issued, workflow), created: credentialId, revision };
      },
    }),
    defineRoute({
      method: 'GET',
      path,
      operationId: operationId('list', 'Credentials'),
      summary: `List the credentials of a ${account}, oldest first`,
      tag,
      permission: 'writ.serviceaccounts.view',
      replies: { 200: { description: 'The credentials', schema: { type: 'array', items: CREDENTIAL } } },
      async handle({ company, param }) {
        const all = await credentials.list(company, param('clientId'));
        return { status: 200, body: all.map(({ credential, lastUse }) => presentCredential(credential, lastUse)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: single,
      operationId: operationId('get', 'Credential'),
      summary: `Read a credential of a ${account}`,
      tag,
      permission: 'writ.serviceaccounts.view',
      revisioned: true,
      replies: { 200: { description: 'The credential', schema: COUNTED_CREDENTIAL } },
      async handle({ company, param }) {
        const { credential, lastUse, counts } = await credentials.get(
          company,
          param('clientId'),
          param('credentialId'),
        );
        const body = { ...presentCredential(credential, lastUse), uses: counts };
        return { status: 200, body, revision: credential.revision };
      },
    }),
    defineRoute<ChangedCredentialBody>({
      method: 'PATCH',
      path: single,
      operationId: operationId('change', 'Credential'),
      summary: `Change a credential of a ${account}`,
      tag,
      permission: 'writ.credentials.manage',
      body: CHANGED_CREDENTIAL,
      aboutMember: true,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed credential', schema: CREDENTIAL } },
      refusals: {
        409: `The name is taken (\`already_exists\`), or the credential is ending (\`already_rotated\`). ${LAST_ROOT}`,
      },
      async handle({ caller, company, expected, body, param }) {
        const { expiresIn, ...changes } = body;
        const changed = await credentials.change(caller, company, param('clientId'), param('credentialId'), expected, {
          ...changes,
          lifetime: secondsOrNone(expiresIn, '/expiresIn'),
        });
        const { credential, lastUse } = changed;
        return { status: 200, body: presentCredential(credential, lastUse), revision: credential.revision };
      },
    }),
    defineRoute<undefined, FromSchema<typeof IF_UNUSED>>({
      method: 'DELETE',
      path: single,
      query: IF_UNUSED,
      operationId: operationId('remove', 'Credential'),
      summary: `Delete a credential of a ${account}`,
      tag,
      permission: 'writ.credentials.manage',
      conditional: true,
      replies: { 204: { description: 'The credential has been deleted' } },
      refusals: { 409: `The credential was used within the given time (\`credential_in_use\`). ${LAST_ROOT}` },
      async handle({ caller, company, expected, query: { ifUnusedFor }, param }) {
        const unusedFor = ifUnusedFor === undefined ? undefined : secondsOf(ifUnusedFor);
        await credentials.delete(caller, company, param('clientId'), param('credentialId'), expected, unusedFor);
        return { status: 204 };
      },
    }),
    defineRoute<RotationBody>({
      method: 'POST',
      path: `${single}/rotate`,
      operationId: operationId('rotate', 'Credential'),
      summary: `Rotate a credential of a ${account}: the successor works at once, and the old one keeps working for the overlap`,
      tag,
      permission: 'writ.credentials.manage',
      body: ROTATION,
      bodyOptional: true,
      aboutMember: true,
      revisioned: true,
      replies: { 201: { description: 'The successor; its secret is shown once', schema: ISSUED_CREDENTIAL } },
      refusals: { 409: 'The credential has a successor already (`already_rotated`): `Location` leads to it' },
      async handle({ caller, company, body, param }) {
        const wanted = rotation(body);
        const issued = await credentials.rotate(caller, company, param('clientId'), param('credentialId'), wanted);
        const { credentialId, revision } = issued.credential;
        return { status: 201, body: presentIssuedCredential(issued), created: credentialId, revision };
      },
    }),
  ];
}

function rotation({ overlap = OVERLAP, publicKey, certificate }: RotationBody): Rotation {
  return { overlap: seconds(overlap, '/overlap', { least: 0 }), publicKey, certificate };
}

/** `POST /api/self/rotate`: an account rotates its own credential without the token of an administrator. */
export function rotateSelf(credentials: Credentials): Route {
  return defineRoute<RotationBody>({
    method: 'POST',
    path: '/api/self/rotate',
    operationId: 'rotateSelf',
    summary:
      "Rotate the credential that got the caller's token: the successor is deleted when the old credential is deleted",
    tag: 'Self',
    permission: 'none',
    forCompanies: true,
    body: ROTATION,
    bodyOptional: true,
    elsewhere: true,
    replies: { 201: { description: 'The successor; its secret is shown once', schema: ISSUED_CREDENTIAL } },
    refusals: { 409: 'The credential has a successor already (`already_rotated`)' },
    async handle({ caller, body }) {
      return { status: 201, body: presentIssuedCredential(await credentials.rotateOwn(caller, rotation(body))) };
    },
  });
}
