import { constants } from 'node:crypto';
import { createSecureContext, type TlsOptions } from 'node:tls';

/** The certificate chain and the key of a server, in PEM, which may change while the server runs. */
export interface ServerTls {
  current(): { readonly cert: string; readonly key: string };
  /** Sets the function that is called when they have changed. */
  onChange(told: () => void): void;
}

/**
 * The cipher suites of TLS 1.3, and the four of TLS 1.2 that RFC 9325 §4.2 recommends for ECDHE with AES-GCM. No earlier
 * version has any of them.
 */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

/**
 * The options of a server that ends TLS (RFC 9325). It asks every client for a certificate and takes any, or none: who
 * issued the certificate matters only where a client authenticates with it.
 */
export const TLS_OPTIONS = {
  ciphers: CIPHERS.join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  requestCert: true,
  rejectUnauthorized: false,
  // Without this, Node.js would check the certificates of clients against the public authorities.
  ca: [],
} satisfies TlsOptions;

/** Asserts that a server can use a certificate and its key. @throws Error in the words of OpenSSL */
export function assertUsable(certificate: { readonly cert: string; readonly key: string }): void {
  createSecureContext({ ...TLS_OPTIONS, ...certificate });
}
