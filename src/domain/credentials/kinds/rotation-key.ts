import { DomainError } from '../../domain-error.ts';

/** @throws DomainError `invalid_value` when a rotation of a secret brings a key */
export function assertNoKey(publicKey: unknown): void {
  if (publicKey === undefined) return;
  throw new DomainError('invalid_value', 'The server generates the successor of a secret', {
    fields: [{ pointer: '/publicKey', message: 'goes with a public key only' }],
  });
}
