import type { FromSchema } from 'json-schema-to-ts';
import type { Clock } from '../../domain/clock.ts';
import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { STATES } from '../../domain/state.ts';
import { MOMENT, SEARCH, SLUG } from '../common-schema.ts';
import { type Direction, readMoment } from '../moment.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { presentServiceAccount } from './present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-account-schema.ts';

const FILTER = {
  type: 'object',
  properties: {
    state: { type: 'string', enum: STATES },
    slug: SLUG,
    role: { type: 'string', pattern: '^[!-~]{1,700}$', description: 'That it has' },
    permission: { type: 'string', pattern: '^[!-~]{1,700}$', description: 'That has been granted to it' },
    lastUsedBefore: {
      ...MOMENT,
      description: 'That has not been used since, or never; a duration reaches back from now',
    },
    expiringBefore: {
      ...MOMENT,
      description: 'That has an enabled credential which expires before; a duration reaches ahead from now',
    },
    search: { ...SEARCH, description: 'How its name or its slug begins' },
  },
  additionalProperties: false,
} as const;

export function listServiceAccounts(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
  clock: Clock,
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
      const now = clock();
      const moment = (text: string | undefined, direction: Direction): Date | undefined =>
        text === undefined ? undefined : readMoment(text, now, direction);
      const { items, next } = await serviceAccounts.list(
        company,
        {
          ...filter,
          lastUsedBefore: moment(lastUsedBefore, 'past'),
          expiringBefore: moment(expiringBefore, 'future'),
        },
        page,
      );
      return { status: 200, body: items.map((summary) => presentServiceAccount(summary)), next };
    },
  });
}
