import type { FromSchema } from 'json-schema-to-ts';
import { MOST_RECENT } from '../../domain/activity/refusal.ts';
import type { Activity } from '../../domain/activity/activity.ts';
import { CLIENT_ID_PATTERN } from '../../domain/ids.ts';
import type { Collection } from '../collection.ts';
import { ANY_ID } from '../common-schema.ts';
import { defineRoute, type Route } from '../route.ts';
import { ACTIVITY, presentActivity, presentRefusals, REFUSALS } from './activity-schema.ts';

const FILTER = {
  type: 'object',
  properties: {
    requestId: {
      ...ANY_ID,
      description: `The X-Request-Id of a refused request. It is found among the last ${MOST_RECENT} requests of each row, for at most 30 days; the log has it for longer`,
    },
    clientId: {
      type: 'string',
      pattern: CLIENT_ID_PATTERN,
      description: 'The client id that the refused requests name; the account need not exist',
    },
  },
  additionalProperties: false,
} as const;

/** The operation that reads the last uses and the refusals of an account. */
export function getActivity({ path, tag, operationId, one }: Collection, activity: Activity): Route {
  return defineRoute({
    method: 'GET',
    path: `${path}/{clientId}/activity`,
    operationId: operationId('get', 'Activity'),
    summary: `Read the last uses and the refusals of a ${one}; they appear after some seconds`,
    tag,
    permission: 'writ.activity.view',
    replies: { 200: { description: 'The last uses and refusals', schema: ACTIVITY } },
    async handle({ company, param }) {
      const { uses, refusals } = await activity.of(company, param('clientId'));
      return { status: 200, body: presentActivity(uses, refusals) };
    },
  });
}

/** The operations that list refusals: of all clients, including unknown ids, or of the accounts of one company. */
export function refusalRoutes(activity: Activity): Route[] {
  const list = (path: string, operationId: string, summary: string): Route =>
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path,
      operationId,
      summary,
      tag: 'Activity',
      permission: 'writ.activity.view',
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The refusals', schema: { type: 'array', items: REFUSALS } } },
      async handle({ company, query, page }) {
        const { items, next } = await activity.listRefusals({ ...query, company }, page);
        return { status: 200, body: items.map((row) => presentRefusals(row, query.requestId)), next };
      },
    });
  return [
    list('/api/activity', 'listRefusals', 'List which clients were refused and why, latest first'),
    list(
      '/api/companies/{companyId}/activity',
      'listCompanyRefusals',
      'List which accounts of a company were refused and why, latest first',
    ),
  ];
}
