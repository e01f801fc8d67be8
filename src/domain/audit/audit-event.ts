import type { Announcement } from '../announcement.ts';
import type { AuditEventId, ClientId, CompanyId, CredentialId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';

/** The cause of a change: an account that called the management API, or the server itself. */
export type Actor =
  | {
      readonly type: 'service_account';
      readonly clientId: ClientId;
      /** The credential that got the token of the call; undefined in events of earlier releases. */
      readonly credentialId?: CredentialId;
      /** The account that the actor impersonated; undefined: the actor was itself. */
      readonly impersonates?: ClientId;
    }
  | { readonly type: 'server'; readonly command: 'start' | 'root recover' | 'keys encrypt-anew' | 'rotation' };

/** The kinds of changes, named after the changed resource. */
export const AUDIT_ACTIONS = [
  'company.created',
  'company.changed',
  'company.deleted',
  'service_account.created',
  'service_account.changed',
  'service_account.deleted',
  'service_account.impersonated',
  'resource_server.created',
  'resource_server.changed',
  'resource_server.deleted',
  'trusted_issuer.created',
  'trusted_issuer.changed',
  'trusted_issuer.deleted',
  'role.created',
  'role.changed',
  'role.deleted',
  'group.created',
  'group.changed',
  'group.deleted',
  'credential.created',
  'credential.changed',
  'credential.rotated',
  'credential.deleted',
  'token.revoked',
  'assertion.diagnosed',
  'credential_policy.applied',
  'signing_key.created',
  'signing_key.changed',
  'signing_key.retired',
  'signing_key.restored',
  'signing_key.removed',
  'signing_key.imported',
  'key_encryption_key.changed',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A description of a change by the code that makes the change. No member ever contains a secret. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** The id of the changed resource. */
  readonly target: string;
  /** The company that may read the event; undefined: only root accounts may read it. */
  readonly company?: CompanyId | undefined;
  /** The details of the change, with the member names of the management API. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The announcements of the change. */
  readonly announces: readonly Announcement[];
}

/** A recorded change. */
export interface AuditEvent extends Omit<AuditEntry, 'announces'>, Origin {
  readonly eventId: AuditEventId;
  readonly occurredAt: Date;
}

/** The origin of a change: its actor, its request and its source address. */
export interface Origin {
  readonly actor: Actor;
  readonly requestId: string | undefined;
  /** The address of the client; undefined: the server itself made the change. */
  readonly source: string | undefined;
}

/** A filter of audit events; undefined members do not restrict it. */
export interface AuditFilter {
  /** The events of this company. */
  readonly company?: CompanyId | undefined;
  readonly action?: AuditAction | undefined;
  readonly target?: string | undefined;
  /** The id of the account that made the change. */
  readonly actor?: string | undefined;
  /** Whether only changes by accounts outside the company match. */
  readonly byRoot?: boolean;
  readonly requestId?: string | undefined;
  /** The earliest time, inclusive. */
  readonly from?: Date | undefined;
  /** The latest time, exclusive. */
  readonly to?: Date | undefined;
}

export interface AuditReader {
  /** Lists events, newest first. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;
  /**
   * Lists events in the order in which they became visible. A reader that goes on after its last event misses none,
   * even if an earlier event is committed late.
   *
   * @param after the id of the last event that was read, or a time before the wanted events
   * @returns undefined when the event does not exist or is not of the company in the filter
   */
  follow(filter: AuditFilter, after: AuditEventId | Date, limit: number): Promise<Page<AuditEvent> | undefined>;
  /** Gives some events without a position a position in the order of `follow`. @returns how many */
  settle(): Promise<number>;
}
