import type { Change } from '../change.ts';
import type { AuditEventId, ClientId } from '../ids.ts';

/** Who caused a change: an account through the management API, or the server itself. */
export type Actor =
  | { readonly type: 'service_account'; readonly clientId: ClientId }
  | { readonly type: 'server'; readonly command: 'start' | 'root recover' };

/** Every kind of change, named after its subject. */
export type AuditAction =
  'service_account.created' | 'service_account.deleted' | 'credential.created' | 'signing_key.created';

/** A change as the code that makes it describes it. Nothing in it is ever a secret. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** The id of what was changed. */
  readonly target: string;
  /** What a reader will want to know about the change, in the words of the management API. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What every node must look at anew because of it. */
  readonly changes: readonly Change[];
}

/** A change as it is recorded. */
export interface AuditEvent extends Omit<AuditEntry, 'changes'> {
  readonly eventId: AuditEventId;
  readonly occurredAt: Date;
  readonly actor: Actor;
  readonly requestId: string | undefined;
}

/** On whose behalf, and by which request, something is done. */
export interface Origin {
  readonly actor: Actor;
  readonly requestId: string | undefined;
}

export interface AuditStore {
  append(events: readonly AuditEvent[]): Promise<void>;
}
