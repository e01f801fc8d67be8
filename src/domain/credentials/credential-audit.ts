import type { AuditEntry } from '../audit/audit-event.ts';
import type { Change } from '../change.ts';
import type { CredentialId } from '../ids.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Credential } from './credential.ts';

/** What may be said of a credential anywhere. */
export function shown(credential: Credential): Readonly<Record<string, unknown>> {
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
    ...(credential.type === 'api_key' && { audience: credential.audience.identifier }),
    ...(credential.type !== 'public_key'
      ? { hint: credential.hint }
      : {
          kid: credential.kid,
          assertionAudiences: credential.assertionAudiences,
          assertionMaxTtl: credential.assertionMaxTtl,
        }),
  };
}

/** A change of a credential of an account. */
export function entry(
  action: AuditEntry['action'],
  { account: { clientId, company } }: AccountSnapshot,
  { credentialId }: { credentialId: CredentialId },
  details: Readonly<Record<string, unknown>>,
  changes: readonly Change[] = [],
): AuditEntry {
  return {
    action,
    target: credentialId,
    company,
    details: { clientId, ...details },
    changes: [{ kind: 'account', clientId }, ...changes],
  };
}
