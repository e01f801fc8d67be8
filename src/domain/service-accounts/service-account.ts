import { type Credential, type CredentialType, nextExpiryOf } from '../credentials/credential.ts';
import type { SenderConstraint } from '../possession/sender-constraint.ts';
import type { ClientId, CompanyId, GroupId, ResourceServerId } from '../ids.ts';
import type { Holdings, Rights } from '../permissions/rules/holdings.ts';
import { type WrittenPermission, writtenPermissions, writtenRoles } from '../permissions/written-grants.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { State } from '../state.ts';

/** A machine that may get tokens. */
export interface ServiceAccount {
  readonly clientId: ClientId;
  /** The company of the account; undefined: a root account. */
  readonly company: CompanyId | undefined;
  /** A DNS label, unique in the company, or among the root accounts. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly state: State;
  /** The audience of its tokens when a request names none; undefined: the first grant will decide it. */
  readonly audience: ResourceServerId | undefined;
  /** The longest lifetime of its tokens, in seconds; a shorter lifetime of the resource server holds instead. */
  readonly tokenTtl: number | undefined;
  /** The proof of possession that its tokens need. */
  readonly senderConstraint: SenderConstraint;
  /** Data for the owners of the account; the server does not interpret it. */
  readonly metadata: Metadata;
  readonly createdAt: Date;
  /** The account that registered this one; undefined: the server itself registered it, as the first root account. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts the changes of the account. */
  readonly revision: number;
}

/** The key of an account: every query on its rows names the account and its company. */
export type AccountKey = Pick<ServiceAccount, 'clientId' | 'company'>;

export type Metadata = Readonly<Record<string, string | number | boolean>>;

/** The audience of an account to which nothing has been granted yet. */
export const FIRST_AUDIENCE: ResourceServerId = 'default';

/** An account with everything that decides about its tokens. */
export interface AccountSnapshot extends Rights {
  readonly account: ServiceAccount;
  /** Whether the account and its company are enabled. */
  readonly enabled: boolean;
  readonly credentials: readonly Credential[];
  /** The time of the last use that is in the database; undefined: never used. */
  readonly lastUsedAt: Date | undefined;
  /** The permissions that its rights add up to. */
  readonly holdings: Holdings;
  /** The management API, the account's audience, and every resource server that its rights name. */
  readonly audiences: Audiences;
}

/** An account as the management API shows it, with its grants and the number of its credentials. */
export interface AccountSummary {
  readonly account: ServiceAccount;
  readonly roles: readonly string[];
  readonly permissions: readonly WrittenPermission[];
  readonly groups: readonly GroupId[];
  /** The identifier of the resource server that is the audience of its tokens when a request names none. */
  readonly audience: string;
  readonly lastUsedAt: Date | undefined;
  readonly credentialCount: number;
  /** The earliest expiry among its enabled credentials that have not expired. */
  readonly nextExpiryAt: Date | undefined;
  /** The types of its credentials, each once. */
  readonly credentialTypes: readonly CredentialType[];
}

export function summaryOf(snapshot: AccountSnapshot, now: Date): AccountSummary {
  const { account, grants, groups, credentials, audiences, lastUsedAt } = snapshot;
  const audience = account.audience ?? FIRST_AUDIENCE;
  return {
    account,
    roles: writtenRoles(grants),
    permissions: writtenPermissions(grants, audiences),
    groups: groups.map(({ groupId }) => groupId),
    audience: audiences.get(audience)?.identifier ?? audience,
    lastUsedAt,
    credentialCount: credentials.length,
    nextExpiryAt: nextExpiryOf(credentials, now),
    credentialTypes: [...new Set(credentials.map(({ type }) => type))],
  };
}
