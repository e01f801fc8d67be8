import { DomainError } from '../domain-error.ts';
import type { Credential } from './credential.ts';
import type { LastUse } from './use-store.ts';

/** A credential, and its last use that is in the database. */
export interface UsedCredential {
  readonly credential: Credential;
  readonly lastUse: LastUse | undefined;
}

/** Finds the last use of a credential among the last uses of its account. */
export function useOf({ credentialId }: Credential, uses: readonly LastUse[]): LastUse | undefined {
  return uses.find((use) => use.credentialId === credentialId);
}

/** @throws DomainError `credential_in_use`; its message says when and from where the credential was used */
export function assertUnusedSince(use: LastUse | undefined, since: Date): void {
  if (use === undefined || use.usedAt < since) return;
  throw new DomainError('credential_in_use', `It was used at ${use.usedAt.toISOString()} from ${use.source}`);
}
