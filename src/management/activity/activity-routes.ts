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
      description: `The X-Request-Id of one that was refused: found among the last ${MOST_RECENT} of each row, for 30 days at most, and in the log ever after`,
    },
    clientId: {
      type: 'string',
      pattern: CLIENT_ID_PATTERN,
      description: 'Whom they name, whether it exists or not',
    },
  },
  additionalProperties: false,
} as const;

/** What an account was refused for, and when it got tokens. */
export function getActivity({ path, tag, operationId, one }: Collection, activity: Activity): Route {
  return defineRoute({
    method: 'GET',
    path: `${path}/{clientId}/activity`,
    operationId: operationId('get', 'Activity'),
    summary: `Read when a ${one} was used and why it was refused, some seconds later`,
    tag,
    permission: 'writ.activity.view',
    replies: { 200: { description: 'The last uses and refusals', schema: ACTIVITY } },
    async handle({ company, param }) {
      const { uses, refusals } = await activity.of(company, param('clientId'));
      return { status: 200, body: presentActivity(uses, refusals) };
    },
  });
}

/** Refusals of all clients, also of ids that nobody has, or of the accounts of one company. */
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
