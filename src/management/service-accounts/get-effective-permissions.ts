import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CONSTRAINTS } from '../../domain/possession/sender-constraint.ts';
import { effectivePermissions } from '../../domain/permissions/rules/holdings.ts';
import { EVERYWHERE } from '../../domain/permissions/place.ts';
import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { planToken, type TokenSettings } from '../../domain/tokens/plan-token.ts';
import type { Collection } from '../collection.ts';
import { defineRoute, type Route } from '../route.ts';

const QUERY = {
  type: 'object',
  properties: {
    resource: { type: 'string', maxLength: 512, description: 'The resource of a token request' },
    scope: { type: 'string', maxLength: 8192, description: 'The scope of a token request' },
  },
  additionalProperties: false,
} as const;

const EFFECTIVE_PERMISSIONS = {
  title: 'EffectivePermissions',
  type: 'object',
  properties: {
    permissions: {
      type: 'array',
      description: 'One entry for each way by which the account has a permission',
      items: {
        title: 'EffectivePermission',
        type: 'object',
        properties: {
          permission: { type: 'string', examples: ['orders:read'] },
          place: { type: ['string', 'null'], description: 'null: everywhere', examples: ['shop/prod'] },
          resource: {
            type: 'string',
            description: 'The identifier of the resource server',
            examples: ['api://default'],
          },
          group: {
            type: ['string', 'null'],
            description: 'The group that has the grant; null: the account itself has the grant',
          },
          role: {
            type: ['string', 'null'],
            description: 'The role that contains the permission; null: the permission itself was granted',
          },
        },
        required: ['permission', 'place', 'resource', 'group', 'role'],
        additionalProperties: false,
      },
    },
    token: {
      title: 'PlannedToken',
      type: ['object', 'null'],
      description: 'The token for a token request with these parameters; null: the request would be refused',
      properties: {
        aud: { type: 'string', examples: ['api://default'] },
        scope: { type: 'string' },
        permissions: { type: 'array', items: { type: 'string' } },
        expiresIn: { type: 'integer', description: 'Seconds' },
        alg: { type: 'string' },
        typ: { type: 'string' },
        senderConstraints: {
          type: 'array',
          description:
            'The proofs that the request needs, because the account, the resource server or the profile asks for them; any: one of the others',
          items: { type: 'string', enum: CONSTRAINTS },
        },
      },
      required: ['aud', 'scope', 'permissions', 'expiresIn', 'alg', 'typ', 'senderConstraints'],
      additionalProperties: false,
    },
    refusal: {
      title: 'TokenRefusal',
      type: ['object', 'null'],
      description:
        'The refusal of the token request; null: the request would get a token. The token endpoint answers a disabled account with its uniform 401',
      properties: { error: { type: 'string' }, error_description: { type: 'string' } },
      required: ['error', 'error_description'],
      additionalProperties: false,
    },
  },
  required: ['permissions', 'token', 'refusal'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operation that reads the effective permissions of an account, and the token that a request would get. */
export function getEffectivePermissions(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
  settings: TokenSettings,
): Route {
  return defineRoute<undefined, FromSchema<typeof QUERY>>({
    method: 'GET',
    path: `${path}/{clientId}/effective-permissions`,
    operationId: operationId('get', 'EffectivePermissions'),
    summary: `Read the effective permissions of a ${one}, and the token that a request would get`,
    tag,
    permission: 'writ.serviceaccounts.view',
    query: QUERY,
    replies: {
      200: { description: 'The effective permissions, and the token or the refusal', schema: EFFECTIVE_PERMISSIONS },
    },
    async handle({ company, query, param }) {
      const snapshot = await serviceAccounts.get(company, param('clientId'));
      return { status: 200, body: { permissions: present(snapshot), ...planned(snapshot, query, settings) } };
    },
  });
}

type Body = FromSchema<typeof EFFECTIVE_PERMISSIONS>;

function present(snapshot: AccountSnapshot): Body['permissions'] {
  return effectivePermissions(snapshot, snapshot.account.company).map(
    ({ permission, place, resourceServerId, group, role }) => ({
      permission,
      place: place === EVERYWHERE ? null : place,
      resource: snapshot.audiences.get(resourceServerId)?.identifier ?? resourceServerId,
      group: group ?? null,
      role: role ?? null,
    }),
  );
}

function planned(
  snapshot: AccountSnapshot,
  { resource, scope }: FromSchema<typeof QUERY>,
  settings: TokenSettings,
): Pick<Body, 'token' | 'refusal'> {
  const refused = (error: string, description: string): Pick<Body, 'token' | 'refusal'> => ({
    token: null,
    refusal: { error, error_description: description },
  });
  if (!snapshot.enabled) return refused('invalid_client', 'the account or its company is disabled');
  // As at the token endpoint, a parameter without a value is absent.
  const plan = planToken(snapshot, { resource: resource === '' ? undefined : resource, scope }, settings);
  if ('refused' in plan) return refused(plan.refused, plan.description);
  return {
    token: {
      aud: plan.server.identifier,
      scope: plan.scope,
      permissions: plan.scope === '' ? [] : plan.scope.split(' '),
      expiresIn: plan.expiresIn,
      alg: plan.signingAlg,
      typ: plan.server.tokenType,
      senderConstraints: [...plan.constraints],
    },
    refusal: null,
  };
}
