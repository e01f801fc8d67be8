import type { RefusalStore } from './activity/refusal-store.ts';
import type { ReplayStore } from './assertions/replay-store.ts';
import type { AuditEntry, AuditReader, Origin } from './audit/audit-event.ts';
import type { CompanyStore } from './companies/company-store.ts';
import type { CredentialStore } from './credentials/credential-store.ts';
import type { UseStore } from './credentials/use-store.ts';
import type { ServerSecretStore } from './encryption/server-secrets.ts';
import type { GroupStore } from './groups/group-store.ts';
import type { GrantStore } from './permissions/grant-store.ts';
import type { ResourceServerStore } from './resource-servers/resource-server-store.ts';
import type { RoleStore } from './roles/role-store.ts';
import type { ServiceAccountStore } from './service-accounts/service-account-store.ts';
import type { RevokedTokenStore } from './status/revoked-token-store.ts';
import type { StatusStore } from './status/status-store.ts';
import type { SigningKeyStore } from './signing-keys/signing-key-store.ts';

/** How many rows of a table are forgotten at once: so few that nothing else waits. Where so many went, there may be more. */
export const HANDFUL = 1000;

/** The tables, all reading and writing in one transaction or all outside any. */
export interface Stores {
  readonly companies: CompanyStore;
  readonly serviceAccounts: ServiceAccountStore;
  readonly credentials: CredentialStore;
  readonly uses: UseStore;
  readonly refusals: RefusalStore;
  readonly grants: GrantStore;
  readonly resourceServers: ResourceServerStore;
  readonly roles: RoleStore;
  readonly groups: GroupStore;
  readonly signingKeys: SigningKeyStore;
  readonly serverSecrets: ServerSecretStore;
  readonly statuses: StatusStore;
  readonly revokedTokens: RevokedTokenStore;
}

/** What a piece of work has to hand back: its result, and an audit entry for everything it changed. */
export interface Work<Result> {
  readonly result: Result;
  readonly audit: readonly AuditEntry[];
}

/** Where the product keeps its data. */
export interface Storage {
  /** For reading outside a transaction. */
  readonly read: Stores;
  /** The same for what tokens take: nothing else keeps it waiting. */
  readonly readForTokens: Stores;
  /** What was recorded of every change. */
  readonly auditEvents: AuditReader;
  /** The assertions that were used; what is used up stays so, whatever becomes of the request. */
  readonly replays: ReplayStore;
  /**
   * Runs `work` in one transaction and records its audit entries in the same one: either all of it stands, or nothing.
   * The work may be run again, when the database ended it because it and another waited for each other.
   * Nothing inside may use `read`: the embedded database has one connection, and would wait for itself.
   */
  write<Result>(origin: Origin, work: (stores: Stores) => Promise<Work<Result>>): Promise<Result>;
  /** As `write`, and no other node runs one of these meanwhile. */
  writeAlone<Result>(origin: Origin, work: (stores: Stores) => Promise<Work<Result>>): Promise<Result>;
}
