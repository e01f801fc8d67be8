import { UnsuitableDatabaseError } from './server-check.ts';

const UNKNOWN_CA = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Adds advice for the operator to an error about the certificate of the database.
 *
 * @returns an error with the advice; any other error unchanged
 */
export function withCertificateAdvice(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  // The driver's error for this has no code.
  if (error.message === 'The server does not support SSL connections') {
    const advised =
      'The database takes no TLS connections, and sslmode in its address asks for one: set TLS up in PostgreSQL, or write sslmode=disable into the address';
    return new UnsuitableDatabaseError(advised, { cause: error });
  }
  if (!('code' in error)) return error;
  const { code, message } = error;
  if (UNKNOWN_CA.has(String(code))) {
    const advised = `The certificate of the database is not one that this machine trusts (${message}): name the certificate of its authority with sslrootcert=/path/to/ca.pem in the address`;
    return Object.assign(new Error(advised, { cause: error }), { code });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const advised = `The certificate of the database is for another name (${message}): write the name from the certificate into the address`;
    return Object.assign(new Error(advised, { cause: error }), { code });
  }
  return error;
}
