import type { CredentialTools } from '../credentials/kinds/kind.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { Clock } from '../clock.ts';
import type { CredentialPolicy } from '../credentials/credential-policy.ts';
import type { IssuedCredential, WantedCredential } from '../credentials/issue-credentials.ts';
import { DomainError } from '../domain-error.ts';
import type { SenderConstraint } from '../possession/sender-constraint.ts';
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

/** The input for registering an account. */
export interface NewServiceAccount {
  readonly name: string;
  /** Undefined: the slug is made from the name. */
  readonly slug: string | undefined;
  readonly description: string | undefined;
  readonly state: State;
  readonly permissions: readonly WrittenPermission[];
  /** Ids of roles, some at places. */
  readonly roles: readonly string[];
  /** Ids of groups of the account's company. */
  readonly groups: readonly string[];
  /** The identifier of the resource server that is the audience of its tokens when a request names none. */
  readonly audience: string | undefined;
  /** Whether the management API becomes the audience when the permissions and roles span several resource servers. */
  readonly managementByDefault: boolean;
  /** Seconds. */
  readonly tokenTtl: number | undefined;
  readonly senderConstraint: SenderConstraint;
  readonly metadata: Metadata;
  /** The credentials to issue. */
  readonly credentials: readonly WantedCredential[];
}

/** The wanted changes of an account. Undefined leaves a member as it is; null deletes it. */
export interface AccountChanges extends WantedChanges {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly state?: State | undefined;
  /** All groups, instead of the present ones. */
  readonly groups?: readonly string[] | undefined;
  readonly audience?: string | null | undefined;
  /** Whether the management API becomes the audience if there is none and the grants span several resource servers. */
  readonly managementByDefault?: boolean | undefined;
  readonly tokenTtl?: number | null | undefined;
  readonly senderConstraint?: SenderConstraint | undefined;
  /** Merged into the present metadata, member by member; null deletes all metadata. */
  readonly metadata?: Readonly<Record<string, Metadata[string] | null>> | null | undefined;
}

/** A new account with its credentials, whose secrets are shown once. */
export interface RegisteredServiceAccount extends AccountSnapshot {
  readonly issued: readonly IssuedCredential[];
}

/** The company that has the accounts; undefined: root. */
type Owner = CompanyId | undefined;

/** The use cases of service accounts. An account is found by its id or its slug. */
export interface ServiceAccounts {
  /**
   * @throws DomainError `not_found` if there is no such company, `invalid_value`, `ambiguous_permission`,
   *   `audience_required`, `forbidden`, `insufficient_scope`, `limit_reached`, `token_too_large`, or `already_exists`
   *   with the id of the account that has the slug
   */
  register(caller: Caller, company: Owner, input: NewServiceAccount): Promise<RegisteredServiceAccount>;
  /** @throws DomainError `not_found` */
  get(company: Owner, id: string): Promise<AccountSnapshot>;
  /** Lists accounts, newest first. @param company `*`: root accounts and the accounts of every company */
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
  delete(caller: Caller, company: Owner, id: string, expected: ExpectedRevisions): Promise<void>;
}

/** The server's limits on tokens, and the settings that decide about the size of a token. */
export interface TokenLimits {
  readonly issuer: string;
  readonly signingAlg: SigningAlg;
  /** The greatest `tokenTtl`, in seconds. */
  readonly maxTtl: number;
  /** The most bytes of an access token that has every permission that the account holds at its audience. */
  readonly maxBytes: number;
}

/** The dependencies of the use cases of service accounts. */
export interface ServiceAccountTools extends CredentialTools {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly tokens: TokenLimits;
  /** The server's policy on the age of credentials; the policy of a company can only be stricter. */
  readonly policy: CredentialPolicy;
  /** The limits of companies without limits of their own. */
  readonly limits: Limits;
}

/** Always throws. @throws DomainError `not_found` */
export function noSuchAccount(): never {
  throw new DomainError('not_found', 'There is no such service account');
}
