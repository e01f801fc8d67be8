import type { X509Certificate } from 'node:crypto';
import { type ClientCertificate, wrongTime } from './client-certificate.ts';
import { writtenName } from './distinguished-name.ts';

/** The purposes that a certificate of a client may name, if it names any (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);

/** The most characters of a name that are shown. */
const MOST_SHOWN = 200;

/** The authorities whose certificates identify clients by their subjects (RFC 8705 §2.1). */
export interface ClientAuthorities {
  /** Why no authority vouches for a certificate, in words; undefined: one does. */
  wrongIssuer(certificate: ClientCertificate, now: Date): string | undefined;
}

/**
 * Creates the check of issuers. An authority must have signed the certificate itself: certificates between the two are
 * not followed, so an authority in the middle is named in the settings, too.
 *
 * @param current the certificates of the authorities, which may change
 */
export function createClientAuthorities(current: () => readonly X509Certificate[]): ClientAuthorities {
  // A signature is verified once: clients send the same certificate with every request.
  const issuers = new WeakMap<
    ClientCertificate,
    { from: readonly X509Certificate[]; found: readonly X509Certificate[] }
  >();

  /** An authority that has renewed its own certificate may stand there with both. */
  function issuersOf(certificate: ClientCertificate): readonly X509Certificate[] {
    const from = current();
    const known = issuers.get(certificate);
    if (known?.from === from) return known.found;
    const found = from.filter((authority) => hasIssued(authority, certificate));
    issuers.set(certificate, { from, found });
    return found;
  }

  return {
    wrongIssuer(certificate, now) {
      const found = issuersOf(certificate);
      if (found.length === 0) {
        const issuer = writtenName(certificate.x509.issuer).slice(0, MOST_SHOWN);
        return `no authority of this server has issued the certificate: its issuer is ${issuer}`;
      }
      if (found.every((issuer) => wrongTime({ x509: issuer }, now) !== undefined)) {
        return 'the certificate of the authority is not valid now';
      }
      const { keyUsage: purposes } = certificate.x509;
      return purposes === undefined || purposes.some((purpose) => CLIENT_AUTH.has(purpose))
        ? undefined
        : 'the certificate is for other purposes than to authenticate a client';
    },
  };
}

function hasIssued(authority: X509Certificate, { x509 }: ClientCertificate): boolean {
  return x509.checkIssued(authority) && x509.verify(authority.publicKey);
}
