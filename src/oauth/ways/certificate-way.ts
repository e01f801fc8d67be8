import { checkCertificate } from '../../domain/certificates/check-certificate.ts';
import type { ClientCertificate } from '../../domain/certificates/client-certificate.ts';
import type { ClientAuthorities } from '../../domain/certificates/client-authorities.ts';
import type { Clock } from '../../domain/clock.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type Attempt, noteCredential, noteFailure, noteProof } from '../attempt.ts';
import { invalidClient, invalidRequest } from '../refusals/oauth-error.ts';
import { type AccountFinder, whenFound } from './find-account.ts';
import { notAuthenticated } from './not-authenticated.ts';
import type { CertificateProof } from './proofs.ts';
import type { Way } from './way.ts';

/** The tools for checking a certificate. */
export interface CertificateTools {
  readonly authorities: ClientAuthorities;
  readonly clock: Clock;
}

/** The way of a client that has presented a certificate in the handshake of TLS (RFC 8705 §2). */
export const certificateWay: Way<CertificateProof, { findAccount: AccountFinder; certificates: CertificateTools }> = {
  // A certificate comes with every request of a connection. It counts only where nothing else says who the client is.
  methodsOf: ({ authorization, parameters, named, certificate }) =>
    named !== undefined &&
    authorization === undefined &&
    OTHER_PROOFS.every((name) => parameters[name] === undefined) &&
    certificate() !== undefined
      ? ['tls_client_auth']
      : [],

  read({ named = '', certificate }) {
    const presented = certificate();
    if (presented === undefined) throw invalidClient('no_client_authentication', { named });
    if ('unreadable' in presented) throw invalidRequest(presented.unreadable, named);
    return { way: 'certificate', method: 'tls_client_auth', clientId: named, certificate: presented };
  },

  recognizer: ({ findAccount, certificates }) => ({
    recognize: (attempt, { clientId, certificate }) =>
      whenFound(
        findAccount(attempt, clientId, () => false),
        (snapshot) => matchCertificate(attempt, certificate, snapshot, certificates),
      ),
  }),
};

/** @throws OAuthError 401 when the certificate fits no credential of the account */
function matchCertificate(
  attempt: Attempt,
  certificate: ClientCertificate,
  snapshot: RememberedAccount | undefined,
  { authorities, clock }: CertificateTools,
): void {
  const now = clock();
  if (snapshot === undefined) {
    // The signature of the authority is verified for nobody as well: the time says nothing about the account.
    authorities.wrongIssuer(certificate, now);
    throw notAuthenticated(attempt);
  }
  const found = checkCertificate(certificate, snapshot, authorities, now);
  if (!('refused' in found)) {
    noteCredential(attempt, found);
    return;
  }
  const { refused, detail, fitting, proved } = found;
  noteFailure(attempt, refused, { detail, ...(fitting && { ended: fitting }) });
  // The holder of the very certificate does not guess. The client is told what is wrong with the certificate, and never
  // that its credential is disabled or has expired: there is no detail then.
  if (proved) noteProof(attempt, refused);
  throw notAuthenticated(attempt, proved ? detail : undefined);
}

/** The parameters by which a request says in another way who the client is. */
const OTHER_PROOFS = ['client_secret', 'client_assertion', 'subject_token', 'assertion'] as const;
