import { DomainError } from '../domain-error.ts';
import type { CredentialBase } from './credential-base.ts';

/**
 * A credential that ends at a time of its own, if not before: uses cannot extend it.
 *
 * @param end undefined: the credential does not end by itself
 * @param at the position of the credential in the body of the request, as a JSON pointer
 * @throws DomainError `invalid_value` when it is to be extended
 */
export function endingBy<Credential extends CredentialBase>(
  credential: Credential,
  end: Date | undefined,
  at: string,
): Credential {
  if (end === undefined) return credential;
  if (credential.extend) {
    throw new DomainError('invalid_value', 'The credential ends by itself', {
      fields: [{ pointer: `${at}/extend`, message: 'does not go with a certificate, which has an end of its own' }],
    });
  }
  if (credential.expiresAt !== undefined && credential.expiresAt <= end) return credential;
  return { ...credential, expiresAt: end, expiresByPolicy: false };
}
