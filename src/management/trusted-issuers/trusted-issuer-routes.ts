import type { FromSchema } from 'json-schema-to-ts';
import { issuerKeys } from '../../domain/federation/trusted-issuer-rules.ts';
import { GREATEST_TOKEN_AGE, type TrustedIssuer } from '../../domain/federation/trusted-issuer.ts';
import type { TrustedIssuers } from '../../domain/federation/trusted-issuers.ts';
import { type Collection, collectionsOf } from '../collection.ts';
import { SEARCH } from '../common-schema.ts';
import { seconds } from '../duration.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import {
  CHANGED_TRUSTED_ISSUER,
  type ChangedTrustedIssuerBody,
  NEW_TRUSTED_ISSUER,
  type NewTrustedIssuerBody,
  TRUSTED_ISSUER,
  type TrustedIssuerBody,
} from './trusted-issuer-schema.ts';

const { root, company: ofCompany } = collectionsOf({
  segment: 'trusted-issuers',
  id: 'TrustedIssuer',
  one: 'trusted issuer',
  many: 'trusted issuers',
});

const FILTER = {
  type: 'object',
  properties: { search: { ...SEARCH, description: 'A prefix of the name or of the issuer' } },
  additionalProperties: false,
} as const;

/** Seconds: the lifetime of the tokens of most issuers, and an hour for those that last longer. */
const MAX_TOKEN_AGE = 3600;

const LONGEST = { most: GREATEST_TOKEN_AGE };

/** The operations on the trusted issuers of root and of companies. */
export function trustedIssuerRoutes(trustedIssuers: TrustedIssuers): Route[] {
  return [root, ofCompany].flatMap((collection) => routesOf(collection, trustedIssuers));
}

function routesOf({ path, tag, operationId, one }: Collection, trustedIssuers: TrustedIssuers): Route[] {
  const single = `${path}/{trustedIssuerId}`;
  return [
    defineRoute<NewTrustedIssuerBody>({
      method: 'POST',
      path,
      operationId: operationId('create'),
      summary: `Create a ${one}`,
      tag,
      permission: 'writ.trustedissuers.manage',
      body: NEW_TRUSTED_ISSUER,
      revisioned: true,
      replies: { 201: { description: 'The trusted issuer', schema: TRUSTED_ISSUER } },
      refusals: { 409: 'The issuer is trusted already (`already_exists`)' },
      async handle({ caller, company, body }) {
        const trusted = await trustedIssuers.create(caller, company, {
          issuer: body.issuer,
          name: body.name,
          audience: body.audience ?? undefined,
          keys: issuerKeys(body.jwks, body.jwksUri),
          algorithms: body.algorithms ?? ['RS256', 'ES256'],
          maxTokenAge: seconds(body.maxTokenAge ?? MAX_TOKEN_AGE, '/maxTokenAge', LONGEST),
          replay: body.replay ?? 'reusable',
          state: body.state ?? 'enabled',
        });
        return { ...presented(trusted, 201), created: trusted.trustedIssuerId };
      },
    }),
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path,
      operationId: operationId('list', 's'),
      summary: 'List every trusted issuer that is visible here, newest first',
      tag,
      permission: 'writ.serviceaccounts.view',
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The trusted issuers', schema: { type: 'array', items: TRUSTED_ISSUER } } },
      async handle({ company, query, page }) {
        const { items, next } = await trustedIssuers.list(company, query, page);
        return { status: 200, body: items.map(present), next };
      },
    }),
    defineRoute({
      method: 'GET',
      path: single,
      operationId: operationId('get'),
      summary: 'Read a trusted issuer that is visible here',
      tag,
      permission: 'writ.serviceaccounts.view',
      revisioned: true,
      replies: { 200: { description: 'The trusted issuer', schema: TRUSTED_ISSUER } },
      handle: async ({ company, param }) => presented(await trustedIssuers.get(company, param('trustedIssuerId')), 200),
    }),
    defineRoute<ChangedTrustedIssuerBody>({
      method: 'PATCH',
      path: single,
      operationId: operationId('change'),
      summary: `Change a ${one}`,
      tag,
      permission: 'writ.trustedissuers.manage',
      body: CHANGED_TRUSTED_ISSUER,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed trusted issuer', schema: TRUSTED_ISSUER } },
      async handle({ caller, company, expected, body: { jwks, jwksUri, maxTokenAge, ...body }, param }) {
        const changed = await trustedIssuers.change(caller, company, param('trustedIssuerId'), expected, {
          ...body,
          keys: jwks === undefined && jwksUri === undefined ? undefined : issuerKeys(jwks, jwksUri),
          maxTokenAge: maxTokenAge === undefined ? undefined : seconds(maxTokenAge, '/maxTokenAge', LONGEST),
        });
        return presented(changed, 200);
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: single,
      operationId: operationId('remove'),
      summary: `Delete a ${one}`,
      tag,
      permission: 'writ.trustedissuers.manage',
      conditional: true,
      replies: { 204: { description: 'The trusted issuer has been deleted' } },
      async handle({ caller, company, expected, param }) {
        await trustedIssuers.delete(caller, company, param('trustedIssuerId'), expected);
        return { status: 204 };
      },
    }),
  ];
}

function presented(trusted: TrustedIssuer, status: number): Answer {
  return { status, body: present(trusted), revision: trusted.revision };
}

function present(trusted: TrustedIssuer): TrustedIssuerBody {
  const { keys } = trusted;
  return {
    trustedIssuerId: trusted.trustedIssuerId,
    issuer: trusted.issuer,
    name: trusted.name,
    company: trusted.company ?? null,
    audience: trusted.audience ?? null,
    jwksUri: keys.kind === 'uri' ? keys.jwksUri : null,
    jwks: keys.kind === 'given' ? { keys: keys.jwks.keys.map((key) => ({ ...key })) } : null,
    algorithms: [...trusted.algorithms],
    maxTokenAge: trusted.maxTokenAge,
    replay: trusted.replay,
    state: trusted.state,
    createdAt: trusted.createdAt.toISOString(),
    createdBy: trusted.createdBy ?? null,
    updatedAt: trusted.updatedAt.toISOString(),
  };
}
