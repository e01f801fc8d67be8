import type { AuthenticationFailure } from '../activity/refusal.ts';
import type { CertificateCredential } from '../credentials/kinds/certificate-kind.ts';
import type { Credential } from '../credentials/credential.ts';
import { hasSubject } from './certificate-subject.ts';
import type { ClientAuthorities } from './client-authorities.ts';
import { type ClientCertificate, wrongTime } from './client-certificate.ts';
import { writtenName } from './distinguished-name.ts';

/** Why a certificate authenticates no client of an account. */
export interface RefusedCertificate {
  readonly refused: Extract<AuthenticationFailure, `certificate_${string}`>;
  /** A sentence for the owners of the account. */
  readonly detail: string;
  /** The credential that the certificate fits; undefined: none. */
  readonly fitting: CertificateCredential | undefined;
  /** Whether the certificate is the very one of the credential: its holder may be told what is wrong with it. */
  readonly proved: boolean;
}

/**
 * Finds the credential that a certificate fits (RFC 8705 §2). The work is the same whether or not there is an account.
 *
 * @param credentials all credentials of the account
 */
export function checkCertificate(
  certificate: ClientCertificate,
  credentials: readonly Credential[],
  authorities: ClientAuthorities,
  now: Date,
): CertificateCredential | RefusedCertificate {
  const late = wrongTime(certificate, now);
  const unissued = authorities.wrongIssuer(certificate, now);
  const candidates = credentials.filter((credential) => credential.type === 'certificate');
  const pinned = candidates.find(
    ({ identity }) => 'thumbprint' in identity && identity.thumbprint === certificate.thumbprint,
  );
  const fitting =
    pinned ?? candidates.find(({ identity }) => 'member' in identity && hasSubject(certificate, identity));
  const refuse = (refused: RefusedCertificate['refused'], detail: string): RefusedCertificate => ({
    refused,
    detail,
    fitting,
    proved: pinned !== undefined,
  });
  if (fitting === undefined) return refuse('certificate_wrong', described(certificate));
  if (pinned === undefined && unissued !== undefined) return refuse('certificate_issuer', unissued);
  return late === undefined ? fitting : refuse('certificate_time', late);
}

function described({ x509, thumbprint }: ClientCertificate): string {
  const names = [x509.subject ? writtenName(x509.subject) : [], x509.subjectAltName ?? []].flat().join('; ');
  return `no credential fits the certificate ${thumbprint} of ${names === '' ? 'nobody' : names.slice(0, 500)}`;
}
