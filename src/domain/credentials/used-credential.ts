import { DomainError } from '../domain-error.ts';
import type { Credential } from './credential.ts';
import type { LastUse } from './use-store.ts';

/** A credential, and when and from where it got a token last, as far as that has been written down. */
export interface UsedCredential {
  readonly credential: Credential;
  readonly lastUse: LastUse | undefined;
}

/** The last use among many that is of a credential. */
export function useOf({ credentialId }: Credential, uses: readonly LastUse[]): LastUse | undefined {
  return uses.find((use) => use.credentialId === credentialId);
}

/** @throws DomainError `credential_in_use`, saying when and from where it was used */
export function assertUnusedSince(use: LastUse | undefined, since: Date): void {
  if (use === undefined || use.usedAt < since) return;
  throw new DomainError('credential_in_use', `It was used at ${use.usedAt.toISOString()} from ${use.source}`);
}
