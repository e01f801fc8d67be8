import type { FromSchema } from 'json-schema-to-ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { SLUG_PATTERN } from '../../domain/slug.ts';
import { STATES } from '../../domain/state.ts';
import { SEARCH } from '../common-schema.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { presentServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

const FILTER = {
  type: 'object',
  properties: {
    state: { type: 'string', enum: STATES },
    slug: { type: 'string', pattern: SLUG_PATTERN },
    role: { type: 'string', pattern: '^[!-~]{1,700}$', description: 'That it has' },
    permission: { type: 'string', pattern: '^[!-~]{1,700}$', description: 'That has been granted to it' },
    search: { ...SEARCH, description: 'How its name or its slug begins' },
  },
  additionalProperties: false,
} as const;

export function listServiceAccounts(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
): Route {
  return defineRoute<undefined, FromSchema<typeof FILTER>>({
    method: 'GET',
    path,
    operationId: operationId('list', 's'),
    summary: `List every ${one}, newest first`,
    tag,
    permission: 'writ.serviceaccounts.view',
    query: FILTER,
    list: true,
    replies: { 200: { description: 'The accounts', schema: { type: 'array', items: SERVICE_ACCOUNT } } },
    async handle({ company, query, page }) {
      const { items, next } = await serviceAccounts.list(company, query, page);
      return { status: 200, body: items.map((summary) => presentServiceAccount(summary)), next };
    },
  });
}
