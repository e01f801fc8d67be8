import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { TLSSocket } from 'node:tls';
import {
  certificateOf,
  clientCertificate,
  type ClientCertificate,
  type PresentedCertificate,
} from '../domain/certificates/client-certificate.ts';
import type { Logger } from '../observability/logger.ts';
import { plainAddress } from './forwarded-address.ts';
import { isTrustedAddress } from './source-reader.ts';

/** Finds the certificate that the client of a request has presented. */
export type CertificateReader = (
  request: Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'socket'>,
) => PresentedCertificate;

/**
 * Creates the function that finds the certificate of a client. Behind a trusted proxy it stands in the header
 * `Client-Cert` (RFC 9440), and the certificate of the connection is the proxy's own. From any other address the header
 * is not believed, which the log says once, and the certificate of the connection counts.
 *
 * @param known the certificates that were read last, by their headers or their thumbprints
 */
export function createCertificateReader(
  trusted: BlockList,
  known: { get(key: string): ClientCertificate | undefined; set(key: string, certificate: ClientCertificate): unknown },
  logger: Pick<Logger, 'warn'>,
): CertificateReader {
  let told = false;

  function fromHeader(values: readonly string[]): PresentedCertificate {
    const [value = '', ...others] = values;
    if (others.length > 0) return unreadable('is there twice');
    // Some proxies write an empty value when the client has no certificate.
    if (/^[:\s]*$/.test(value)) return undefined;
    // A header must not read like the thumbprint of a certificate that a connection has brought.
    const key = `header ${value}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const certificate = readHeader(value);
    if (certificate === undefined) {
      return unreadable('holds no single certificate, as :base64: (RFC 9440) or in PEM with escapes of URLs');
    }
    known.set(key, certificate);
    return certificate;
  }

  function fromConnection(socket: IncomingMessage['socket']): PresentedCertificate {
    const x509 = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (x509 === undefined) return undefined;
    const certificate = certificateOf(x509);
    const before = known.get(certificate.thumbprint);
    if (before === undefined) known.set(certificate.thumbprint, certificate);
    return before ?? certificate;
  }

  return ({ headers, headersDistinct, socket }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (isTrustedAddress(peer, trusted)) return fromHeader(headersDistinct['client-cert'] ?? []);
    if (!told && headers['client-cert'] !== undefined) {
      told = true;
      logger.warn(
        { event: 'client_certificate.not_trusted', peer, setting: 'WRIT_TRUSTED_PROXIES' },
        'a peer that is not in WRIT_TRUSTED_PROXIES sends Client-Cert, which is not believed',
      );
    }
    return fromConnection(socket);
  };
}

function unreadable(why: string): PresentedCertificate {
  return { unreadable: `the header Client-Cert ${why}` };
}

/** Reads the value of the header: a byte sequence of RFC 8941, or PEM as nginx escapes it. */
function readHeader(value: string): ClientCertificate | undefined {
  const [, base64] = /^:([A-Za-z\d+/]+={0,2}):$/.exec(value.trim()) ?? [];
  try {
    if (base64 === undefined) return readPem(decodeURIComponent(value.trim()));
    const der = Buffer.from(base64, 'base64');
    const certificate = clientCertificate(der);
    // Bytes after the certificate would be another one, or garbage.
    return certificate.x509.raw.equals(der) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function readPem(text: string): ClientCertificate | undefined {
  return /^-----BEGIN CERTIFICATE-----\s[A-Za-z\d+/=\s]+-----END CERTIFICATE-----\s*$/.test(text)
    ? clientCertificate(text)
    : undefined;
}
