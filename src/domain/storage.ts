import type { RefusalStore } from './activity/refusal-store.ts';
import type { ReplayStore } from './assertions/replay-store.ts';
import type { AuditEntry, AuditReader, Origin } from './audit/audit-event.ts';
import type { CompanyStore } from './companies/company-store.ts';
import type { CredentialStore } from './credentials/credential-store.ts';
import type { UseStore } from './credentials/use-store.ts';
import type { ServerSecretStore } from './encryption/server-secrets.ts';
import type { TrustedIssuerStore } from './federation/trusted-issuer-store.ts';
import type { GroupStore } from './groups/group-store.ts';
import type { GrantStore } from './permissions/grant-store.ts';
import type { ResourceServerStore } from './resource-servers/resource-server-store.ts';
import type { RoleStore } from './roles/role-store.ts';
import type { ServiceAccountStore } from './service-accounts/service-account-store.ts';
import type { RevokedTokenStore } from './status/revoked-token-store.ts';
import type { StatusStore } from './status/status-store.ts';
import type { SigningKeyStore } from './signing-keys/signing-key-store.ts';

/**
 * The most rows that one statement of the clean-up handles: few enough that no other statement has to wait. If a
 * statement has handled this many rows, there may be more.
 */
export const HANDFUL = 1000;

/** The tables. Either all of them work in one transaction, or all of them work outside a transaction. */
export interface Stores {
  readonly companies: CompanyStore;
  readonly serviceAccounts: ServiceAccountStore;
  readonly credentials: CredentialStore;
  readonly uses: UseStore;
  readonly refusals: RefusalStore;
  readonly grants: GrantStore;
  readonly resourceServers: ResourceServerStore;
  readonly trustedIssuers: TrustedIssuerStore;
  readonly roles: RoleStore;
  readonly groups: GroupStore;
  readonly signingKeys: SigningKeyStore;
  readonly serverSecrets: ServerSecretStore;
  readonly statuses: StatusStore;
  readonly revokedTokens: RevokedTokenStore;
}

/** The outcome of a piece of work: its result, and an audit entry for each thing that it has changed. */
export interface Work<Result> {
  readonly result: Result;
  readonly audit: readonly AuditEntry[];
}

/** The data of the product. */
export interface Storage {
  /** For reading outside a transaction. */
  readonly read: Stores;
  /** For reading in token requests, on connections of their own: management calls do not delay token requests. */
  readonly readForTokens: Stores;
  readonly auditEvents: AuditReader;
  /** The consumed assertions. An assertion stays consumed even if its request fails. */
  readonly replays: ReplayStore;
  /**
   * Runs `work` in one transaction and records its audit entries in the same transaction: all of it is committed, or
   * nothing. The work may run again if the database ends the transaction because of a deadlock. The work must not use
   * `read`: the embedded database has one connection and would wait for itself.
   */
  write<Result>(origin: Origin, work: (stores: Stores) => Promise<Work<Result>>): Promise<Result>;
  /** As `write`; only one node at a time runs such work. */
  writeAlone<Result>(origin: Origin, work: (stores: Stores) => Promise<Work<Result>>): Promise<Result>;
}
