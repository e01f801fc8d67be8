import type { FromSchema } from 'json-schema-to-ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { SLUG_PATTERN } from '../../domain/slug.ts';
import { STATES } from '../../domain/state.ts';
import { MOMENT, SEARCH } from '../common-schema.ts';
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
    lastUsedBefore: { ...MOMENT, description: 'That has not been used since, or never' },
    expiringBefore: { ...MOMENT, description: 'That has an enabled credential which expires before' },
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
      const { lastUsedBefore, expiringBefore, ...filter } = query;
      const { items, next } = await serviceAccounts.list(
        company,
        { ...filter, lastUsedBefore: moment(lastUsedBefore), expiringBefore: moment(expiringBefore) },
        page,
      );
      return { status: 200, body: items.map((summary) => presentServiceAccount(summary)), next };
    },
  });
}

function moment(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
