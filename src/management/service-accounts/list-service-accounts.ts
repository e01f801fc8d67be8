import type { FromSchema } from 'json-schema-to-ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { CLIENT_ID_PATTERN } from '../../domain/ids.ts';
import { STATES } from '../../domain/state.ts';
import { EVERY_COMPANY, MOMENT, SEARCH, SLUG } from '../common-schema.ts';
import { readMoment } from '../moment.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { ROOT_ACCOUNTS } from './account-collection.ts';
import { presentServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

const FILTER = {
  type: 'object',
  properties: {
    state: { type: 'string', enum: STATES },
    clientId: { type: 'string', pattern: CLIENT_ID_PATTERN },
    slug: SLUG,
    role: { type: 'string', pattern: '^[!-~]{1,700}$', description: 'Only accounts with a grant of this role' },
    permission: {
      type: 'string',
      pattern: '^[!-~]{1,700}$',
      description: 'Only accounts with a grant of this permission',
    },
    lastUsedBefore: {
      ...MOMENT,
      description: 'Only accounts that have not been used since this time, or never; a duration counts back from now',
    },
    expiringBefore: {
      ...MOMENT,
      description:
        'Only accounts with an enabled credential that expires before this time; a duration counts ahead from now',
    },
    search: { ...SEARCH, description: 'A prefix of the name or the slug' },
  },
  additionalProperties: false,
} as const;

/** The filter for root, which can list the accounts of every company. */
const FILTER_OF_ROOT = {
  ...FILTER,
  properties: {
    ...FILTER.properties,
    company: EVERY_COMPANY,
  },
} as const;

export function listServiceAccounts(collection: Collection, serviceAccounts: ServiceAccounts): Route {
  const { path, tag, operationId, one } = collection;
  return defineRoute<undefined, FromSchema<typeof FILTER_OF_ROOT>>({
    method: 'GET',
    path,
    operationId: operationId('list', 's'),
    summary: `List every ${one}, newest first`,
    tag,
    permission: 'writ.serviceaccounts.view',
    query: collection === ROOT_ACCOUNTS ? FILTER_OF_ROOT : FILTER,
    list: true,
    replies: { 200: { description: 'The accounts', schema: { type: 'array', items: SERVICE_ACCOUNT } } },
    async handle({ now, company, query, page }) {
      const { company: every, lastUsedBefore, expiringBefore, ...filter } = query;
      const { items, next } = await serviceAccounts.list(
        every ?? company,
        {
          ...filter,
          lastUsedBefore: readMoment(lastUsedBefore, now, 'past'),
          expiringBefore: readMoment(expiringBefore, now, 'future'),
        },
        page,
        now,
      );
      return { status: 200, body: items.map((summary) => presentServiceAccount(summary)), next };
    },
  });
}
