import type { AuthenticationFailure } from '../activity/refusal.ts';
import type { RememberedOf } from '../credentials/credential.ts';
import { whyRefused } from '../credentials/why-refused.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { hasSubject } from './certificate-subject.ts';
import type { ClientAuthorities } from './client-authorities.ts';
import { type ClientCertificate, wrongTime } from './client-certificate.ts';
import { writtenName } from './distinguished-name.ts';

/** Why a certificate authenticates no client of an account. */
export interface RefusedCertificate {
  readonly refused: AuthenticationFailure;
  /** A sentence for the owners of the account. */
  readonly detail: string | undefined;
  /** The credential that the certificate fits; undefined: none. */
  readonly fitting: RememberedOf<'certificate'> | undefined;
  /** Whether the certificate is the very one of the credential: its holder may be told what is wrong with it. */
  readonly proved: boolean;
}

/**
 * Finds the credential that a certificate fits (RFC 8705 §2). If it fits several, one that works counts. Names in a
 * certificate that nobody vouches for are not looked at.
 */
export function checkCertificate(
  certificate: ClientCertificate,
  snapshot: Pick<RememberedAccount, 'account' | 'credentials' | 'holdings'>,
  authorities: ClientAuthorities,
  now: Date,
): RememberedOf<'certificate'> | RefusedCertificate {
  const unissued = authorities.wrongIssuer(certificate, now);
  const candidates = snapshot.credentials.filter((credential) => credential.type === 'certificate');
  const fitting = candidates.filter(({ identity }) =>
    'member' in identity
      ? unissued === undefined && hasSubject(certificate, identity)
      : identity.thumbprint === certificate.thumbprint,
  );
  const working = fitting.find((one) => whyRefused(one, snapshot, now) === undefined);
  const late = wrongTime(certificate, now);
  if (working !== undefined && late === undefined) return working;

  const one = working ?? fitting[0];
  const refuse = (refused: AuthenticationFailure, detail?: string): RefusedCertificate => ({
    refused,
    detail,
    fitting: one,
    proved: one !== undefined && !('member' in one.identity),
  });
  if (one === undefined) {
    const bySubject = candidates.some(({ identity }) => 'member' in identity);
    return bySubject && unissued !== undefined
      ? refuse('certificate_issuer', unissued)
      : refuse('certificate_wrong', described(certificate));
  }
  const unusable = whyRefused(one, snapshot, now);
  return unusable === undefined ? refuse('certificate_time', late) : refuse(unusable);
}

function described({ x509, thumbprint }: ClientCertificate): string {
  const names = [writtenName(x509.subject), x509.subjectAltName].filter(Boolean).join('; ');
  return `no credential fits the certificate ${thumbprint} of ${names === '' ? 'nobody' : names.slice(0, 500)}`;
}
