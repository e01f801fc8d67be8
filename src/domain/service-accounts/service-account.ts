import { type Credential, type CredentialType, nextExpiryOf } from '../credentials/credential.ts';
import type { ClientId, CompanyId, GroupId, ResourceServerId } from '../ids.ts';
import type { Holdings, Rights } from '../permissions/rules/holdings.ts';
import { type WrittenPermission, writtenPermissions, writtenRoles } from '../permissions/written-grants.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { State } from '../state.ts';

/** A machine that may get tokens. */
export interface ServiceAccount {
  readonly clientId: ClientId;
  /** The company that it belongs to; undefined: a root account. */
  readonly company: CompanyId | undefined;
  /** A DNS label, unique in the company, or among the root accounts. */
  readonly slug: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly state: State;
  /** The audience of its tokens when a request names none; undefined until the first grant decides. */
  readonly audience: ResourceServerId | undefined;
  /** The longest that its tokens may last, in seconds, where that is less than the resource server's. */
  readonly tokenTtl: number | undefined;
  /** Whatever its owners want to remember about it. */
  readonly metadata: Metadata;
  readonly createdAt: Date;
  /** The account that registered it; undefined for the first one, which the server made. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts its changes. */
  readonly revision: number;
}

/** Which account, and whose: every query on what belongs to it names both. */
export type AccountKey = Pick<ServiceAccount, 'clientId' | 'company'>;

export type Metadata = Readonly<Record<string, string | number | boolean>>;

/** The audience of an account to which nothing has been granted yet. */
export const FIRST_AUDIENCE: ResourceServerId = 'default';

/** An account with everything that decides about its tokens. */
export interface AccountSnapshot extends Rights {
  readonly account: ServiceAccount;
  /** Neither it nor its company is disabled. */
  readonly enabled: boolean;
  readonly credentials: readonly Credential[];
  /** When it got a token last, as far as that has been written down. */
  readonly lastUsedAt: Date | undefined;
  /** What its rights come to. */
  readonly holdings: Holdings;
  /** The management API, its own audience, and every resource server that its rights name. */
  readonly audiences: Audiences;
}

/** An account as it is shown: what it was given, and how many ways it has to prove who it is. */
export interface AccountSummary {
  readonly account: ServiceAccount;
  readonly roles: readonly string[];
  readonly permissions: readonly WrittenPermission[];
  readonly groups: readonly GroupId[];
  /** The identifier of the resource server that its tokens are for unless they ask for another. */
  readonly audience: string;
  readonly lastUsedAt: Date | undefined;
  readonly credentialCount: number;
  /** When the first of its enabled credentials expires, of those that have not yet. */
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
