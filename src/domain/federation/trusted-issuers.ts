import { type Announcement, everyoneIn } from '../announcement.ts';
import type { AuditEntry } from '../audit/audit-event.ts';
import { differences } from '../audit/differences.ts';
import type { Clock } from '../clock.ts';
import { keepOwner } from '../companies/hold-to-limits.ts';
import { DomainError } from '../domain-error.ts';
import { type CompanyId, newTrustedIssuerId, type RandomId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { Storage, Stores } from '../storage.ts';
import { assertMayVouch } from './assert-may-vouch.ts';
import type { IssuerTrust, TrustedIssuer } from './trusted-issuer.ts';
import { assertTrustedIssuer } from './trusted-issuer-rules.ts';
import type { TrustedIssuerFilter } from './trusted-issuer-store.ts';

/** The input for trusting an issuer. */
export type NewTrustedIssuer = Omit<IssuerTrust, 'company'> & Pick<TrustedIssuer, 'name' | 'state'>;

/** The wanted changes of a trusted issuer. Undefined leaves a member as it is; null deletes it. */
export type TrustedIssuerChanges = {
  readonly [Member in Exclude<keyof NewTrustedIssuer, 'issuer' | 'audience'>]?: NewTrustedIssuer[Member] | undefined;
} & { readonly audience?: string | null | undefined };

/** The use cases of trusted issuers. Every company sees root's and its own. */
export interface TrustedIssuers {
  /**
   * @throws DomainError `not_found` if there is no such company, `invalid_value`, `already_exists`, `limit_reached`,
   *   `forbidden` when an account that has a rule for the issuer may do more than the caller
   */
  create(caller: Caller, company: CompanyId | undefined, input: NewTrustedIssuer): Promise<TrustedIssuer>;
  /** @throws DomainError `not_found` */
  get(company: CompanyId | undefined, id: string): Promise<TrustedIssuer>;
  /** Lists the trusted issuers that a company, or root, sees; newest first. */
  list(company: CompanyId | undefined, filter: TrustedIssuerFilter, page: PageRequest): Promise<Page<TrustedIssuer>>;
  /** @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `forbidden` */
  change(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    expected: ExpectedRevisions,
    changes: TrustedIssuerChanges,
  ): Promise<TrustedIssuer>;
  /**
   * Stops trusting an issuer. The federated credentials that name it stay, and authenticate nobody.
   *
   * @throws DomainError `not_found`, `precondition_failed`, `forbidden`
   */
  delete(caller: Caller, company: CompanyId | undefined, id: string, expected: ExpectedRevisions): Promise<void>;
}

export interface TrustedIssuerTools {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomId: RandomId;
  /** The issuer of this server. */
  readonly issuer: string;
}

/** The most trusted issuers of one owner. */
export const MOST_TRUSTED_ISSUERS = 100;

export function createTrustedIssuers({ storage, clock, randomId, issuer: own }: TrustedIssuerTools): TrustedIssuers {
  return {
    create(caller, company, input) {
      assertTrustedIssuer(input, own);
      const now = clock();
      const trusted: TrustedIssuer = {
        ...input,
        trustedIssuerId: newTrustedIssuerId(randomId),
        company,
        createdAt: now,
        createdBy: caller.clientId,
        updatedAt: now,
        revision: 1,
      };
      return storage.write(originOf(caller), async (stores) => {
        const { trustedIssuers } = stores;
        await keepOwner(stores, company);
        await assertMayVouch(stores, caller, company, input.issuer);
        if (!(await trustedIssuers.insert(trusted))) {
          const existing = (await trustedIssuers.named(company, input.issuer))?.trustedIssuerId;
          throw new DomainError('already_exists', `The issuer ${input.issuer} is trusted already`, {
            fields: [{ pointer: '/issuer', message: 'is taken' }],
            existing,
          });
        }
        if ((await trustedIssuers.count(company)) > MOST_TRUSTED_ISSUERS) {
          throw new DomainError('limit_reached', `At most ${MOST_TRUSTED_ISSUERS} issuers can be trusted`);
        }
        const { issuer, name, keys, algorithms, replay } = trusted;
        const details = { issuer, name, keys: keys.kind, algorithms, replay };
        return { result: trusted, audit: [entry('trusted_issuer.created', trusted, details)] };
      });
    },

    get: async (company, id) => (await storage.read.trustedIssuers.find(company, id)) ?? noSuchIssuer(),

    list: (company, filter, page) => storage.read.trustedIssuers.list(company, filter, page),

    change: (caller, company, id, expected, { audience, ...changes }) =>
      storage.write(originOf(caller), async (stores) => {
        const before = await lockOwn(stores, company, id);
        assertRevision(before.revision, expected);
        const after: TrustedIssuer = {
          ...before,
          name: changes.name ?? before.name,
          audience: audience === undefined ? before.audience : (audience ?? undefined),
          keys: changes.keys ?? before.keys,
          algorithms: changes.algorithms ?? before.algorithms,
          maxTokenAge: changes.maxTokenAge ?? before.maxTokenAge,
          replay: changes.replay ?? before.replay,
          state: changes.state ?? before.state,
        };
        assertTrustedIssuer(after, own);
        const details = differences(before, after, COMPARED);
        if (Object.keys(details).length === 0) return { result: before, audit: [] };
        if (TRUSTING.some((member) => member in details)) {
          await assertMayVouch(stores, caller, company, before.issuer);
        }
        const changed = { ...after, updatedAt: clock(), revision: before.revision + 1 };
        await stores.trustedIssuers.update(changed);
        return { result: changed, audit: [entry('trusted_issuer.changed', changed, details)] };
      }),

    delete: (caller, company, id, expected) =>
      storage.write(originOf(caller), async (stores) => {
        const trusted = await lockOwn(stores, company, id);
        assertRevision(trusted.revision, expected);
        await stores.trustedIssuers.delete(trusted.trustedIssuerId);
        const { issuer, name } = trusted;
        return { result: undefined, audit: [entry('trusted_issuer.deleted', trusted, { issuer, name })] };
      }),
  };
}

/** The members that decide which tokens are believed; `state` brings all of them back. */
const TRUSTING = ['audience', 'keys', 'algorithms', 'maxTokenAge', 'replay', 'state'] as const;

const COMPARED = ['name', 'audience', 'keys', 'algorithms', 'maxTokenAge', 'replay', 'state'] as const;

async function lockOwn(
  { companies, trustedIssuers }: Stores,
  company: CompanyId | undefined,
  id: string,
): Promise<TrustedIssuer> {
  // Lock the company first: the deletion of a company locks in the same order.
  if (company !== undefined) await companies.keep(company);
  const seen = (await trustedIssuers.find(company, id)) ?? noSuchIssuer();
  if (seen.company !== company) throw new DomainError('forbidden', "The trusted issuer is root's");
  return (await trustedIssuers.lock(company, id)) ?? noSuchIssuer();
}

function entry(
  action: AuditEntry['action'],
  { trustedIssuerId, company }: TrustedIssuer,
  details: Readonly<Record<string, unknown>>,
): AuditEntry {
  // The snapshots of accounts have their trusted issuers: those of root may be in every account.
  const announces: readonly Announcement[] = everyoneIn(company);
  return { action, target: trustedIssuerId, company, details, announces };
}

function noSuchIssuer(): never {
  throw new DomainError('not_found', 'There is no such trusted issuer');
}
