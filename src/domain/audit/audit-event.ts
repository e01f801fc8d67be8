import type { Change } from '../change.ts';
import type { AuditEventId, ClientId, CompanyId, CredentialId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';

/** Who caused a change: an account through the management API, or the server itself. */
export type Actor =
  | {
      readonly type: 'service_account';
      readonly clientId: ClientId;
      /** The credential that got the token of the call; undefined in events of before this was recorded. */
      readonly credentialId?: CredentialId;
    }
  | { readonly type: 'server'; readonly command: 'start' | 'root recover' };

/** Every kind of change, named after its subject. */
export const AUDIT_ACTIONS = [
  'company.created',
  'company.changed',
  'company.deleted',
  'service_account.created',
  'service_account.changed',
  'service_account.deleted',
  'resource_server.created',
  'resource_server.changed',
  'resource_server.deleted',
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
  'signing_key.retired',
  'signing_key.restored',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A change as the code that makes it describes it. Nothing in it is ever a secret. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** The id of what was changed. */
  readonly target: string;
  /** The company that this is the business of; undefined: the server's alone. */
  readonly company?: CompanyId | undefined;
  /** What a reader will want to know about the change, in the words of the management API. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What every node must look at anew because of it. */
  readonly changes: readonly Change[];
}

/** A change as it is recorded. */
export interface AuditEvent extends Omit<AuditEntry, 'changes'>, Origin {
  readonly eventId: AuditEventId;
  readonly occurredAt: Date;
}

/** On whose behalf, by which request, and from where something is done. */
export interface Origin {
  readonly actor: Actor;
  readonly requestId: string | undefined;
  /** The address of the client; undefined where it was the server itself. */
  readonly source: string | undefined;
}

/** Which events are wanted; what is undefined does not matter. */
export interface AuditFilter {
  /** Of one company only. */
  readonly company?: CompanyId | undefined;
  readonly action?: AuditAction | undefined;
  readonly target?: string | undefined;
  /** The account that did it. */
  readonly actor?: string | undefined;
  /** Whether only what accounts did that are none of the company's own. */
  readonly byRoot?: boolean;
  readonly requestId?: string | undefined;
  /** The first moment that counts. */
  readonly from?: Date | undefined;
  /** The first moment that counts no longer. */
  readonly to?: Date | undefined;
}

export interface AuditReader {
  /** Newest first. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;
  /**
   * In the order in which they came to be seen, so that a reader who goes on after the last event misses none, however
   * late another commits.
   *
   * @param after the id of an event, or a time before all that are wanted
   * @returns undefined when the event is none of the company of the filter, or none at all
   */
  follow(filter: AuditFilter, after: AuditEventId | Date, limit: number): Promise<Page<AuditEvent> | undefined>;
  /** Gives some of the events that have none a position in that order. @returns how many */
  settle(): Promise<number>;
}
