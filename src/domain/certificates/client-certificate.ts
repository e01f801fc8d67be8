import { createHash, X509Certificate } from 'node:crypto';

/** A certificate whose private key its client has shown to hold, in the handshake of TLS (RFC 8705 §2). */
export interface ClientCertificate {
  readonly x509: X509Certificate;
  /** SHA-256 of the certificate in DER, in base64url: the value of `cnf["x5t#S256"]` (RFC 8705 §3.1). */
  readonly thumbprint: string;
}

/** A certificate that came in a form that this server cannot read. */
export interface UnreadableCertificate {
  /** Why, for the operator of the proxy that sent it. */
  readonly unreadable: string;
}

/** The certificate of a request; undefined: the client has presented none. */
export type PresentedCertificate = ClientCertificate | UnreadableCertificate | undefined;

/** @param bytes a certificate in DER or PEM; @throws Error when it is none */
export function clientCertificate(bytes: Buffer | string): ClientCertificate {
  return certificateOf(new X509Certificate(bytes));
}

export function certificateOf(x509: X509Certificate): ClientCertificate {
  return { x509, thumbprint: createHash('sha256').update(x509.raw).digest('base64url') };
}

/** Why a certificate does not work at a time, in words; undefined: it works. */
export function wrongTime({ x509 }: Pick<ClientCertificate, 'x509'>, now: Date): string | undefined {
  const times = timesOf(x509);
  if (times === undefined) return 'the times of the certificate cannot be read';
  if (now < times.from) return `the certificate is not valid before ${times.from.toISOString()}`;
  return now > times.to ? `the certificate has expired at ${times.to.toISOString()}` : undefined;
}

/**
 * The times between which a certificate is valid; undefined: one of them is no time. They are read from their texts: for a
 * time that is none, Node.js makes `validToDate` of whatever is in its memory.
 */
export function timesOf({
  validFrom,
  validTo,
}: Pick<X509Certificate, 'validFrom' | 'validTo'>): { readonly from: Date; readonly to: Date } | undefined {
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  return Number.isNaN(from.getTime()) || Number.isNaN(to.getTime()) ? undefined : { from, to };
}
