import { DomainError } from '../../domain-error.ts';
import type { CredentialId } from '../../ids.ts';
import type { OtherCredentials } from './kind.ts';

/**
 * Asserts that an account has no credential that is the same as a new one.
 *
 * @param same the credential that is the same; undefined: there is none
 * @param message a sentence for the caller
 * @param pointer the member that is there twice, as a JSON pointer
 * @throws DomainError `already_exists`, with the other credential if it is stored
 */
export function assertNew(
  same: CredentialId | undefined,
  { existing }: Pick<OtherCredentials, 'existing'>,
  message: string,
  pointer: string,
): void {
  if (same === undefined) return;
  throw new DomainError('already_exists', message, {
    fields: [{ pointer, message: 'is there twice' }],
    // A credential of the same request is not stored when the request is refused.
    ...(existing.some(({ credentialId }) => credentialId === same) && { existing: same }),
  });
}
