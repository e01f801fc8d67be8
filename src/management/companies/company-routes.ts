import type { FromSchema } from 'json-schema-to-ts';
import { writtenGrantable } from '../../domain/permissions/rules/changed-grantable.ts';
import { type Limits, LIMITS } from '../../domain/companies/company-limits.ts';
import type { Companies, CompanyOwner } from '../../domain/companies/companies.ts';
import type { CompanyContents } from '../../domain/companies/company-store.ts';
import type { Company } from '../../domain/companies/company.ts';
import { STATES } from '../../domain/state.ts';
import { SEARCH } from '../common-schema.ts';
import { wantedCredential } from '../credentials/wanted-credentials.ts';
import { presentRegisteredServiceAccount } from '../service-accounts/present-service-account.ts';
import { secondsOrNone } from '../duration.ts';
import { type Answer, defineRoute, type Route } from '../route.ts';
import {
  CHANGED_COMPANY,
  COMPANY_REMOVAL,
  type ChangedCompanyBody,
  COMPANY,
  type CompanyBody,
  NEW_COMPANY,
  type NewCompanyBody,
  REGISTERED_COMPANY,
  type CreatedCompanyBody,
} from './company-schema.ts';

/** Null for each limit: the server's limit holds where a company has none of its own. */
const UNLIMITED: Partial<Record<keyof Limits, null>> = Object.fromEntries(LIMITS.map((name) => [name, null]));

const PATH = '/api/companies';
const ONE = `${PATH}/{companyId}`;
const tag = 'Companies';

const FILTER = {
  type: 'object',
  properties: {
    state: { type: 'string', enum: STATES },
    search: { ...SEARCH, description: 'A prefix of the name or the id' },
  },
  additionalProperties: false,
} as const;

const REMOVAL = {
  type: 'object',
  properties: {
    cascade: { type: 'boolean', description: 'Whether the service accounts of the company are deleted with it' },
    dryRun: {
      type: 'boolean',
      description: 'Whether the answer only says what would be deleted, and nothing is deleted',
    },
  },
  additionalProperties: false,
} as const;

/** The operations on companies. */
export function companyRoutes(companies: Companies, issuer: string): Route[] {
  return [
    defineRoute<NewCompanyBody>({
      method: 'POST',
      path: PATH,
      operationId: 'registerCompany',
      summary: 'Create a company',
      tag,
      permission: 'writ.companies.manage',
      body: NEW_COMPANY,
      revisioned: true,
      replies: {
        201: {
          description: 'The company; the secrets of its first account are shown once',
          schema: REGISTERED_COMPANY,
        },
      },
      refusals: {
        409: 'The id is taken, or has been used before (`already_exists`); two resource servers declare a permission (`ambiguous_permission`)',
      },
      async handle({
        caller,
        body: { companyId, name, state = 'enabled', secretMaxAge, keyMaxAge, grantable = [], limits, owner },
      }) {
        const policy = {
          secretMaxAge: maxAge(secretMaxAge, '/secretMaxAge') ?? undefined,
          keyMaxAge: maxAge(keyMaxAge, '/keyMaxAge') ?? undefined,
        };
        const registered = await companies.create(caller, {
          companyId,
          name,
          state,
          policy,
          grantable,
          limits,
          owner: owner && wantedOwner(owner),
        });
        const { company } = registered;
        const body: CreatedCompanyBody = {
          ...present(company),
          ...(registered.owner && {
            owner: presentRegisteredServiceAccount(registered.owner, owner?.credentials, issuer),
          }),
        };
        return { status: 201, body, revision: company.revision, created: company.companyId };
      },
    }),
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path: PATH,
      operationId: 'listCompanies',
      summary: 'List the companies that the caller may see, newest first',
      tag,
      permission: 'writ.companies.view',
      forCompanies: true,
      query: FILTER,
      list: true,
      replies: { 200: { description: 'The companies', schema: { type: 'array', items: COMPANY } } },
      async handle({ caller, query, page }) {
        const { items, next } = await companies.list(caller, query, page);
        return { status: 200, body: items.map(present), next };
      },
    }),
    defineRoute({
      method: 'GET',
      path: ONE,
      operationId: 'getCompany',
      summary: 'Read a company',
      tag,
      permission: 'writ.companies.view',
      revisioned: true,
      replies: { 200: { description: 'The company', schema: COMPANY } },
      handle: async ({ param }) => presented(await companies.get(param('companyId')), 200),
    }),
    defineRoute<ChangedCompanyBody>({
      method: 'PATCH',
      path: ONE,
      operationId: 'changeCompany',
      summary: 'Change a company',
      tag,
      permission: 'writ.companies.manage',
      body: CHANGED_COMPANY,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed company', schema: COMPANY } },
      refusals: { 409: 'Two resource servers declare a permission (`ambiguous_permission`)' },
      async handle({ caller, expected, body, param }) {
        const changes = {
          ...body,
          secretMaxAge: maxAge(body.secretMaxAge, '/secretMaxAge'),
          keyMaxAge: maxAge(body.keyMaxAge, '/keyMaxAge'),
        };
        return presented(await companies.change(caller, param('companyId'), expected, changes), 200);
      },
    }),
    defineRoute<undefined, FromSchema<typeof REMOVAL>>({
      method: 'DELETE',
      path: ONE,
      operationId: 'removeCompany',
      summary: 'Delete a company',
      tag,
      permission: 'writ.companies.manage',
      query: REMOVAL,
      conditional: true,
      replies: {
        200: { description: 'With `dryRun`: the things that would be deleted', schema: COMPANY_REMOVAL },
        204: { description: 'The company has been deleted' },
      },
      refusals: { 409: 'The company has service accounts (`not_empty`), and `cascade` is not true' },
      async handle({ caller, expected, query, param }) {
        const { cascade = false, dryRun = false } = query;
        if (!dryRun) {
          await companies.delete(caller, param('companyId'), expected, cascade);
          return { status: 204 };
        }
        const removal = await companies.tryRemoval(param('companyId'), expected, cascade);
        return { status: 200, body: presentRemoval(removal) };
      },
    }),
  ];
}

/** Reads a maximum age, in seconds. 0 is a maximum age, too: it forbids such credentials. */
function maxAge(value: number | string | null | undefined, pointer: string): number | null | undefined {
  return secondsOrNone(value, pointer, { least: 0, most: 315_360_000 });
}

function wantedOwner({ name = 'Owner', credentials }: NonNullable<NewCompanyBody['owner']>): CompanyOwner {
  const wanted =
    credentials === undefined
      ? [wantedCredential({ type: 'client_secret' }, '/owner')]
      : credentials.map((credential, index) => wantedCredential(credential, `/owner/credentials/${index}`));
  return { name, credentials: wanted };
}

function presented(company: Company, status: number): Answer {
  return { status, body: present(company), revision: company.revision };
}

function present({
  companyId,
  name,
  state,
  policy,
  grantable,
  limits,
  createdAt,
  createdBy,
  updatedAt,
}: Company): CompanyBody {
  return {
    companyId,
    name,
    state,
    secretMaxAge: policy.secretMaxAge ?? null,
    keyMaxAge: policy.keyMaxAge ?? null,
    grantable: writtenGrantable(grantable).map((one) => (typeof one === 'string' ? one : { ...one })),
    limits: { ...UNLIMITED, ...limits },
    createdAt: createdAt.toISOString(),
    createdBy,
    updatedAt: updatedAt.toISOString(),
  };
}

function presentRemoval({ counts, used, lastUsed }: CompanyContents): FromSchema<typeof COMPANY_REMOVAL> {
  const { serviceAccounts, credentials, groups, roles, resourceServers } = counts;
  return {
    serviceAccounts,
    credentials,
    groups,
    roles,
    resourceServers,
    usedInTheLastDay: used,
    lastUsed: lastUsed.map(({ clientId, slug, name, lastUsedAt }) => ({
      clientId,
      slug,
      name,
      lastUsedAt: lastUsedAt.toISOString(),
    })),
  };
}
