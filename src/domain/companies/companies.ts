import { changedGrantable, writtenGrantable } from '../permissions/rules/changed-grantable.ts';
import type { GrantableChanges, WrittenGrantable } from '../permissions/grantable.ts';
import { type LimitChanges, mergedLimits } from './company-limits.ts';
import type { AuditEntry } from '../audit/audit-event.ts';
import { everyoneIn, STATUSES } from '../announcement.ts';
import { differences } from '../audit/differences.ts';
import type { Clock } from '../clock.ts';
import type { CredentialPolicy } from '../credentials/credential-policy.ts';
import { DomainError } from '../domain-error.ts';
import { isCompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { assertAllowed } from '../permissions/rules/may-grant.ts';
import type { Registration } from '../service-accounts/register-service-account.ts';
import type { NewServiceAccount, RegisteredServiceAccount } from '../service-accounts/service-accounts.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import { slugOf } from '../slug.ts';
import type { State } from '../state.ts';
import type { Storage } from '../storage.ts';
import type { Company } from './company.ts';
import type { CompanyContents, CompanyFilter, CompanyStore } from './company-store.ts';

/** The input for creating a company. */
export interface NewCompany {
  /** Undefined: the id is made from the name. */
  readonly companyId: string | undefined;
  readonly name: string;
  readonly state: State;
  readonly policy: CredentialPolicy;
  readonly grantable: readonly WrittenGrantable[];
  readonly limits: LimitChanges | undefined;
  /** The first account of the company, with the role `company-owner`; undefined: the company gets no account. */
  readonly owner: CompanyOwner | undefined;
}

/** The members of the first account of a company that a caller may choose. */
export type CompanyOwner = Pick<NewServiceAccount, 'name' | 'credentials'>;

/** A new company, and its first account, whose secrets are shown once. */
export interface CreatedCompany {
  readonly company: Company;
  readonly owner: RegisteredServiceAccount | undefined;
}

/** The wanted changes of a company. Undefined leaves a member as it is; null deletes it. */
export interface CompanyChanges {
  readonly name?: string | undefined;
  readonly state?: State | undefined;
  /** Seconds. Secrets and API keys that outlive the new maximum age are shortened to it, counted from the change. */
  readonly secretMaxAge?: number | null | undefined;
  /** Seconds; the same for public keys. */
  readonly keyMaxAge?: number | null | undefined;
  /** All grantable permissions, instead of the present ones. */
  readonly grantable?: readonly WrittenGrantable[] | undefined;
  /** By name; null: the limit of the server holds. */
  readonly limits?: LimitChanges | undefined;
}

/** The use cases of companies. */
export interface Companies {
  /**
   * @throws DomainError `invalid_value`, `ambiguous_permission`, `forbidden`, `insufficient_scope`, `limit_reached`, or
   *   `already_exists` with the id of the existing company
   */
  create(caller: Caller, input: NewCompany): Promise<CreatedCompany>;
  /** @throws DomainError `not_found` */
  get(id: string): Promise<Company>;
  /** Lists companies, newest first. A caller that belongs to a company sees only that company. */
  list(caller: Caller, filter: CompanyFilter, page: PageRequest): Promise<Page<Company>>;
  /** @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `ambiguous_permission` */
  change(caller: Caller, id: string, expected: ExpectedRevisions, changes: CompanyChanges): Promise<Company>;
  /**
   * @param cascade whether the accounts of the company are deleted with it; false: a company with accounts is refused
   * @throws DomainError `not_found`, `precondition_failed`, `not_empty`
   */
  delete(caller: Caller, id: string, expected: ExpectedRevisions, cascade: boolean): Promise<void>;
  /**
   * Makes the checks of `remove` and deletes nothing.
   *
   * @returns the contents that `remove` would delete, with the accounts that were used in the last day
   * @throws DomainError `not_found`, `precondition_failed`, `not_empty`
   */
  tryRemoval(id: string, expected: ExpectedRevisions, cascade: boolean): Promise<CompanyContents>;
}

export function createCompanies({
  storage,
  clock,
  registration,
}: {
  storage: Storage;
  clock: Clock;
  registration: Registration;
}): Companies {
  return {
    async create(caller, input) {
      const { companyId: wanted, name, state, policy } = input;
      const limits = mergedLimits({}, input.limits);
      const companyId = wanted ?? slugOf(name) ?? '';
      if (!isCompanyId(companyId)) {
        throw new DomainError('invalid_value', 'No companyId can be made from this name', {
          fields: [{ pointer: '/companyId', message: 'is required, as a DNS label' }],
        });
      }
      const now = clock();
      const company: Company = {
        companyId,
        name,
        state,
        policy,
        limits,
        grantable: [],
        createdAt: now,
        createdBy: caller.clientId,
        updatedAt: now,
        revision: 1,
      };
      return storage.write(originOf(caller), async (stores) => {
        const { companies } = stores;
        if (!(await companies.insert(company))) {
          throw new DomainError('already_exists', `A company with the id ${companyId} exists`, {
            fields: [{ pointer: '/companyId', message: 'is taken' }],
            existing: companyId,
          });
        }
        // Check this after the insert: the insert waits for a transaction that is deleting a company of this id.
        if (await companies.isRetired(companyId)) {
          throw new DomainError('already_exists', `The id ${companyId} has been used before, and no id is used twice`, {
            fields: [{ pointer: '/companyId', message: 'has been used before' }],
          });
        }
        const changes = await changedGrantable(stores, companyId, [], input.grantable);
        await companies.changeGrantable(companyId, changes);
        const { grantable } = changes;
        const details = {
          name,
          state,
          ...policy,
          ...(Object.keys(limits).length > 0 && { limits }),
          ...(grantable.length > 0 && { grantable: writtenGrantable(grantable) }),
        };
        if (input.owner !== undefined) assertAllowed(caller, 'writ.serviceaccounts.manage');
        const owner = input.owner && (await registration(stores, caller, companyId, { ...OWNER, ...input.owner }));
        return {
          result: { company: { ...company, grantable }, owner: owner?.result },
          audit: [entry('company.created', company, details), ...(owner?.audit ?? [])],
        };
      });
    },

    async get(id) {
      const company = isCompanyId(id) ? await storage.read.companies.find(id) : undefined;
      return company ?? notFound();
    },

    list: ({ company }, filter, page) =>
      storage.read.companies.list({ ...filter, ...(company !== undefined && { companyId: company }) }, page),

    async change(
      caller,
      id,
      expected,
      { name, state, secretMaxAge, keyMaxAge, limits: wantedLimits, grantable: written },
    ) {
      return storage.write(originOf(caller), async (stores) => {
        const { companies, credentials, statuses } = stores;
        const company = await lock(companies, id);
        assertRevision(company.revision, expected);
        const policy = {
          secretMaxAge: secretMaxAge === undefined ? company.policy.secretMaxAge : (secretMaxAge ?? undefined),
          keyMaxAge: keyMaxAge === undefined ? company.policy.keyMaxAge : (keyMaxAge ?? undefined),
        };
        const limits = mergedLimits(company.limits, wantedLimits);
        const changes = await changedGrantable(stores, company.companyId, company.grantable, written);
        const next = {
          ...company,
          name: name ?? company.name,
          state: state ?? company.state,
          policy,
          limits,
          grantable: changes.grantable,
        };
        const details = {
          ...differences(company, next, ['name', 'state', 'limits']),
          ...differences(company.policy, policy, ['secretMaxAge', 'keyMaxAge']),
          ...grantableDetails(changes),
        };
        if (Object.keys(details).length === 0) return { result: company, audit: [] };
        const changed: Company = { ...next, updatedAt: clock(), revision: company.revision + 1 };
        await companies.update(changed);
        await companies.changeGrantable(company.companyId, changes);
        const limited = await credentials.shorten(company.companyId, policy, clock());
        if (changed.state !== company.state) await statuses.settleCompany(company.companyId, clock());
        return {
          result: changed,
          audit: [
            entry('company.changed', changed, { ...details, ...(limited > 0 && { credentialsLimited: limited }) }),
          ],
        };
      });
    },

    async delete(caller, id, expected, cascade) {
      return storage.write(originOf(caller), async ({ companies, statuses }) => {
        const company = await lock(companies, id);
        const { companyId } = company;
        assertRevision(company.revision, expected);
        if (!cascade && (await companies.hasAccounts(companyId))) throw notEmpty();
        const gone = await companies.delete(companyId, clock());
        const clientIds = gone.map(({ clientId }) => clientId);
        await statuses.settle(clientIds, clock());
        const accounts = gone.map(({ clientId, name, slug }): AuditEntry => ({
          action: 'service_account.deleted',
          target: clientId,
          company: companyId,
          details: { name, slug },
          announces: [],
        }));
        const deleted = entry('company.deleted', company, { name: company.name, serviceAccounts: gone.length });
        return { result: undefined, audit: [...accounts, deleted] };
      });
    },

    async tryRemoval(id, expected, cascade) {
      const { companies } = storage.read;
      const { companyId, revision } = (isCompanyId(id) ? await companies.find(id) : undefined) ?? notFound();
      assertRevision(revision, expected);
      const contents = await companies.contents(companyId, new Date(clock().getTime() - A_DAY), MOST_NAMED);
      if (!cascade && contents.counts.serviceAccounts > 0) throw notEmpty();
      return contents;
    },
  };
}

/** The details of a change of the grantable permissions for the audit. */
function grantableDetails({ added, removed }: GrantableChanges): Readonly<Record<string, WrittenGrantable[]>> {
  const lists = { grantableAdded: writtenGrantable(added), grantableRemoved: writtenGrantable(removed) };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

/** Milliseconds. */
const A_DAY = 86_400_000;

/** The most accounts in use that `tryRemoval` names. */
const MOST_NAMED = 100;

/** The first account of a company, without its name and credentials. */
const OWNER = {
  slug: undefined,
  description: undefined,
  state: 'enabled',
  permissions: [],
  roles: ['company-owner'],
  groups: [],
  audience: undefined,
  managementByDefault: true,
  tokenTtl: undefined,
  senderConstraint: 'none',
  metadata: {},
} as const satisfies Omit<NewServiceAccount, 'name' | 'credentials'>;

async function lock(companies: CompanyStore, id: string): Promise<Company> {
  return (isCompanyId(id) ? await companies.lock(id) : undefined) ?? notFound();
}

function entry(
  action: AuditEntry['action'],
  { companyId }: Company,
  details: Readonly<Record<string, unknown>>,
): AuditEntry {
  return { action, target: companyId, company: companyId, details, announces: [...everyoneIn(companyId), ...STATUSES] };
}

function notEmpty(): DomainError {
  return new DomainError('not_empty', 'The company has service accounts: ?cascade=true deletes them with it');
}

function notFound(): never {
  throw new DomainError('not_found', 'There is no such company');
}
