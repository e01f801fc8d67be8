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
 * @returns an error with the advice and the same code; any other error unchanged
 */
export function withCertificateAdvice(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
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
