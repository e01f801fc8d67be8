import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CREDENTIAL_STATES } from '../../domain/credentials/credential-base.ts';
import { CREDENTIAL_TYPES } from '../../domain/credentials/credential.ts';
import type { Credentials } from '../../domain/credentials/credentials.ts';
import { CLIENT_ID_PATTERN } from '../../domain/ids.ts';
import { type Collection, collectionsOf } from '../collection.ts';
import { EVERY_COMPANY, MOMENT } from '../common-schema.ts';
import { readMoment } from '../moment.ts';
import { defineRoute, type Route } from '../route.ts';
import { CREDENTIAL } from './credential-schema.ts';
import { presentCredential } from './present-credential.ts';

const { root: ROOT_CREDENTIALS, company: COMPANY_CREDENTIALS } = collectionsOf({
  segment: 'credentials',
  id: 'Credential',
  one: 'credential',
  many: 'credentials',
});

const FILTER = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: CREDENTIAL_TYPES },
    state: { type: 'string', enum: CREDENTIAL_STATES },
    clientId: { type: 'string', pattern: CLIENT_ID_PATTERN, description: 'Only credentials of this account' },
    createdBefore: {
      ...MOMENT,
      description: 'Only credentials that were created before this time; a duration counts back from now',
    },
    expiringBefore: {
      ...MOMENT,
      description: 'Only credentials that expire before this time or have expired; a duration counts ahead from now',
    },
    lastUsedBefore: {
      ...MOMENT,
      description:
        'Only credentials that have not been used since this time, or never; a duration counts back from now',
    },
  },
  additionalProperties: false,
} as const;

/** The filter for root, which can list the credentials of every company. */
const FILTER_OF_ROOT = {
  ...FILTER,
  properties: {
    ...FILTER.properties,
    company: EVERY_COMPANY,
  },
} as const;

/** A credential in a list across accounts, with its account. */
const OWNED_CREDENTIAL = {
  title: 'OwnedCredential',
  type: 'object',
  properties: {
    clientId: { type: 'string', description: 'The id of the account that has the credential' },
    slug: { type: 'string', description: 'The slug of that account' },
    company: { type: ['string', 'null'], description: 'null: the account is a root account' },
    ...CREDENTIAL.properties,
  },
  required: ['clientId', 'slug', 'company', ...CREDENTIAL.required],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The operations that list credentials across accounts: one for root, one for a company. */
export function listCredentials(credentials: Pick<Credentials, 'listAll'>): Route[] {
  const list = ({ path, tag, operationId, one }: Collection, query: typeof FILTER | typeof FILTER_OF_ROOT): Route =>
    defineRoute<undefined, FromSchema<typeof FILTER_OF_ROOT>>({
      method: 'GET',
      path,
      operationId: operationId('list', 's'),
      summary: `List every ${one}, newest first`,
      tag,
      permission: 'writ.serviceaccounts.view',
      query,
      list: true,
      replies: { 200: { description: 'The credentials', schema: { type: 'array', items: OWNED_CREDENTIAL } } },
      async handle({ now, company, query: filter, page }) {
        const { company: every, createdBefore, expiringBefore, lastUsedBefore, ...others } = filter;
        const { items, next } = await credentials.listAll(
          every ?? company,
          {
            ...others,
            createdBefore: readMoment(createdBefore, now, 'past'),
            expiringBefore: readMoment(expiringBefore, now, 'future'),
            lastUsedBefore: readMoment(lastUsedBefore, now, 'past'),
          },
          page,
        );
        const body = items.map(({ account, credential, lastUse }) => ({
          clientId: account.clientId,
          slug: account.slug,
          company: account.company ?? null,
          ...presentCredential(credential, lastUse),
        }));
        return { status: 200, body, next };
      },
    });
  return [list(ROOT_CREDENTIALS, FILTER_OF_ROOT), list(COMPANY_CREDENTIALS, FILTER)];
}
