import type { AuditEntry } from '../audit/audit-event.ts';
import type { Announcement } from '../announcement.ts';
import type { CredentialId } from '../ids.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Credential } from './credential.ts';
import { kindOf } from './kinds/kinds.ts';

/** The members of a credential that audit events record: neither its secret nor the hash of the secret. */
export function audited(credential: Credential): Readonly<Record<string, unknown>> {
  const { type, name, description, state, expiresAt, lifetime, extend, permissions, rotatedFrom } = credential;
  return {
    type,
    name,
    description,
    state,
    expiresAt: expiresAt?.toISOString(),
    lifetime,
    ...(extend && { extend }),
    permissions,
    ...(rotatedFrom !== undefined && { rotatedFrom }),
    ...kindOf(credential).audited(credential),
  };
}

/** Creates the audit entry for a change of a credential. */
export function entry(
  action: AuditEntry['action'],
  { account: { clientId, company } }: AccountSnapshot,
  { credentialId }: { credentialId: CredentialId },
  details: Readonly<Record<string, unknown>>,
  announces: readonly Announcement[] = [],
): AuditEntry {
  return {
    action,
    target: credentialId,
    company,
    details: { clientId, ...details },
    announces: [{ kind: 'account', clientId }, ...announces],
  };
}
