import type { CredentialTools } from '../credentials/kinds/kind.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { Clock } from '../clock.ts';
import type { CredentialPolicy } from '../credentials/credential-policy.ts';
import type { IssuedCredential, WantedCredential } from '../credentials/issue-credentials.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { WantedChanges } from '../permissions/rules/changed-grants.ts';
import type { WrittenPermission } from '../permissions/written-grants.ts';
import type { ExpectedRevisions } from '../revision.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import type { State } from '../state.ts';
import type { Storage } from '../storage.ts';
import type { Caller } from './caller.ts';
import type { AccountSnapshot, AccountSummary, Metadata } from './service-account.ts';
import type { ServiceAccountFilter } from './service-account-store.ts';

/** What a caller may say about an account that it registers. */
export interface NewServiceAccount {
  readonly name: string;
  /** Made from the name when absent. */
  readonly slug: string | undefined;
  readonly description: string | undefined;
  readonly state: State;
  readonly permissions: readonly WrittenPermission[];
  /** Ids of roles, some at places. */
  readonly roles: readonly string[];
  /** Ids of groups of its company. */
  readonly groups: readonly string[];
  /** Identifier of the resource server that its tokens are for unless they ask for another. */
  readonly audience: string | undefined;
  /** Whether the management API is meant where what it gets spans several resource servers. */
  readonly managementByDefault: boolean;
  /** Seconds. */
  readonly tokenTtl: number | undefined;
  readonly metadata: Metadata;
  /** Exactly these are made. */
  readonly credentials: readonly WantedCredential[];
}

/** What is to become of an account: undefined leaves a member as it is, null takes it away. */
export interface AccountChanges extends WantedChanges {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly state?: State | undefined;
  /** All of them, instead of those that it is in. */
  readonly groups?: readonly string[] | undefined;
  readonly audience?: string | null | undefined;
  /** Whether the management API is meant where it has no audience and what it gets spans several. */
  readonly managementByDefault?: boolean | undefined;
  readonly tokenTtl?: number | null | undefined;
  /** Merged into what there is, member by member; null removes all. */
  readonly metadata?: Readonly<Record<string, Metadata[string] | null>> | null | undefined;
}

/** A new account with its credentials, whose secrets are shown once. */
export interface RegisteredServiceAccount extends AccountSnapshot {
  readonly issued: readonly IssuedCredential[];
}

/** Whose accounts: those of a company, or, when undefined, the root accounts. */
type Owner = CompanyId | undefined;

/** The service accounts. An account is found by its id or its slug. */
export interface ServiceAccounts {
  /**
   * @throws DomainError `not_found` without the company, `invalid_value`, `ambiguous_permission`, `audience_required`,
   *   `forbidden`, `insufficient_scope`, `limit_reached`, `token_too_large`, or `already_exists` with the id of the account that has the slug
   */
  register(caller: Caller, company: Owner, input: NewServiceAccount): Promise<RegisteredServiceAccount>;
  /** @throws DomainError `not_found` */
  get(company: Owner, id: string): Promise<AccountSnapshot>;
  /** Newest first. @param company `*`: of root and of every company */
  list(company: Owner | '*', filter: ServiceAccountFilter, page: PageRequest, now: Date): Promise<Page<AccountSummary>>;
  /**
   * @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `ambiguous_permission`,
   *   `audience_required`, `forbidden`, `insufficient_scope`, `limit_reached`, `token_too_large`, `last_root`
   */
  change(
    caller: Caller,
    company: Owner,
    id: string,
    expected: ExpectedRevisions,
    changes: AccountChanges,
  ): Promise<AccountSnapshot>;
  /** @throws DomainError `not_found`, `precondition_failed`, `last_root` */
  remove(caller: Caller, company: Owner, id: string, expected: ExpectedRevisions): Promise<void>;
}

/** What tokens may be, whoever they are for. */
export interface TokenLimits {
  readonly issuer: string;
  readonly signingAlg: SigningAlg;
  /** The most that `tokenTtl` may be, in seconds. */
  readonly maxTtl: number;
  /** The most that an access token may be, when it says everything that is held at its audience. */
  readonly maxBytes: number;
}

/** What the use cases of this noun are given. */
export interface ServiceAccountTools extends CredentialTools {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly tokens: TokenLimits;
  /** How old credentials may get on this server, whatever a company says. */
  readonly policy: CredentialPolicy;
  /** Of companies that have no limits of their own. */
  readonly limits: Limits;
}

/** @throws DomainError `not_found`, always */
export function noSuchAccount(): never {
  throw new DomainError('not_found', 'There is no such service account');
}
