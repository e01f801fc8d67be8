import type { Credential } from '../credentials/credential.ts';
import type { ClientId, CompanyId } from '../ids.ts';
import type { Grant } from '../permissions/grant.ts';
import type { Holdings } from '../permissions/holdings.ts';
import type { ResourceServerId } from '../permissions/resource-server.ts';
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
export interface AccountSnapshot {
  readonly account: ServiceAccount;
  /** Neither it nor its company is disabled. */
  readonly enabled: boolean;
  readonly credentials: readonly Credential[];
  readonly grants: readonly Grant[];
  /** What the grants come to. */
  readonly holdings: Holdings;
}

/** An account as it is shown: what it was given, and how many ways it has to prove who it is. */
export interface AccountSummary {
  readonly account: ServiceAccount;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly credentialCount: number;
}

export function summaryOf({ account, grants, credentials }: AccountSnapshot): AccountSummary {
  return {
    account,
    roles: grants.flatMap((grant) => (grant.kind === 'role' ? [grant.roleId] : [])),
    permissions: grants.flatMap((grant) => (grant.kind === 'permission' ? [grant.permission] : [])),
    credentialCount: credentials.length,
  };
}
