import { DomainError } from '../../domain-error.ts';

/** The material of a successor, as the request for a rotation brings it. */
export interface Replacement {
  /** The new key when a public key is rotated: a JWK, or PEM. */
  readonly publicKey: unknown;
  /** The new certificate when a certificate is rotated, in PEM. */
  readonly certificate: string | undefined;
}

/** @throws DomainError `invalid_value` when the rotation of another credential than a public key brings a key */
export function assertNoKey({ publicKey }: Replacement): void {
  if (publicKey !== undefined) throw stray('/publicKey', 'goes with a public key only');
}

/** @throws DomainError `invalid_value` when the rotation of another credential than a certificate brings one */
export function assertNoCertificate({ certificate }: Replacement): void {
  if (certificate !== undefined) throw stray('/certificate', 'goes with a certificate only');
}

/** @throws DomainError `invalid_value` when the rotation of a secret brings a key or a certificate */
export function assertNothing(replacement: Replacement): void {
  assertNoKey(replacement);
  assertNoCertificate(replacement);
}

function stray(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The credential has another kind of successor', {
    fields: [{ pointer, message }],
  });
}
