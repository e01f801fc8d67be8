import { clientCertificate, timesOf } from '../../certificates/client-certificate.ts';
import { type CertificateSubject, SUBJECT_MEMBERS, wrongWithSubject } from '../../certificates/certificate-subject.ts';
import {
  type PinnedCertificate,
  type ReadCertificate,
  readCertificate,
} from '../../certificates/pinned-certificate.ts';
import { DomainError } from '../../domain-error.ts';
import type { CredentialBase } from '../credential-base.ts';
import { endingBy } from '../ending-by.ts';
import { assertNew } from './assert-new.ts';
import type { CredentialKind, OtherCredentials, StoredCredential, TakenMembers } from './kind.ts';
import { assertNoKey } from './rotation-key.ts';
import { shortened } from './shortened.ts';

/**
 * A certificate with which a client authenticates in the handshake of TLS: one certificate (`self_signed_tls_client_auth`,
 * RFC 8705 §2.2), or every certificate of a trusted authority with one subject (`tls_client_auth`, RFC 8705 §2.1).
 */
export interface CertificateCredential extends CredentialBase {
  readonly type: 'certificate';
  readonly identity: PinnedCertificate | CertificateSubject;
}

/** A certificate that is asked for, with its members as they were sent. */
export interface WantedCertificate {
  readonly type: 'certificate';
  readonly members: Pick<TakenMembers, (typeof MEMBERS)[number]>;
}

/** A certificate that is asked for, with one identity. */
export interface BoundCertificate {
  readonly type: 'certificate';
  /** A certificate in PEM, or the subject that a certificate must have. */
  readonly identity: string | CertificateSubject;
}

const MEMBERS = ['certificate', ...SUBJECT_MEMBERS] as const;

export const certificateKind: CredentialKind<CertificateCredential, WantedCertificate, BoundCertificate> = {
  noun: 'certificate',
  most: 10,
  maxAge: 'keyMaxAge',
  // A proxy in front may lose the certificate, and a certificate expires.
  letsRootIn: false,
  authMethod: undefined,
  secretAlias: undefined,
  takes: {
    certificate: 'optional',
    subjectDn: 'optional',
    sanDns: 'optional',
    sanUri: 'optional',
    sanIp: 'optional',
    sanEmail: 'optional',
  },
  changes: [],

  wanted: ({ certificate, subjectDn, sanDns, sanUri, sanIp, sanEmail }) => ({
    type: 'certificate',
    members: { certificate, subjectDn, sanDns, sanUri, sanIp, sanEmail },
  }),
  async bind({ type, members }, _company, _stores, at) {
    const [member, ...others] = MEMBERS.filter((each) => members[each] !== undefined);
    const value = member && members[member];
    if (member === undefined || value === undefined || others.length > 0) {
      throw refused(`${at}/${others[0] ?? 'certificate'}`, `must be the only one of ${MEMBERS.join(', ')}`);
    }
    if (member === 'certificate') return { type, identity: value };
    const wrong = wrongWithSubject({ member, value });
    if (wrong !== undefined) throw refused(`${at}/${member}`, wrong);
    return { type, identity: { member, value } };
  },
  async issue({ identity: given }, base, _tools, others) {
    const { identity, notAfter } =
      typeof given === 'string'
        ? await pinned(given, base.createdAt, others.at)
        : { identity: given, notAfter: undefined };
    assertNewIdentity(identity, others);
    const ended = endingBy(base, notAfter, others.at);
    return { secret: undefined, credential: { ...ended, type: 'certificate', identity } };
  },
  successor({ type, identity }, replacement) {
    assertNoKey(replacement);
    if ('member' in identity) {
      throw new DomainError('invalid_value', 'A certificate that is known by its subject has nothing to rotate');
    }
    const { certificate } = replacement;
    if (certificate === undefined) throw refused('/certificate', 'is required for this kind of credential');
    return { type, identity: certificate };
  },
  keepReferences: () => Promise.resolve(true),
  change: (before) => before,
  widens: () => false,
  endsByItself: ({ identity }) =>
    'member' in identity ? undefined : timesOf(clientCertificate(identity.certificate).x509)?.to,
  onlyAt: () => undefined,
  answered: ({ identity }) =>
    'member' in identity
      ? { hint: shortened(identity.value), [identity.member]: identity.value }
      : { hint: identity.thumbprint, certificate: identity.certificate, thumbprint: identity.thumbprint },
  audited: ({ identity }) =>
    'member' in identity ? { [identity.member]: identity.value } : { thumbprint: identity.thumbprint },
  stored: ({ identity }) => ({ data: identity }),
  restored(base, { data }) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rows of this kind have the data that `stored` writes
    return { ...base, type: 'certificate', identity: data as CertificateCredential['identity'] };
  },
};

/** @throws DomainError `invalid_value` for a certificate that cannot be used */
async function pinned(text: string, now: Date, at: string): Promise<ReadCertificate> {
  const read = await readCertificate(text, now);
  if ('wrong' in read) throw refused(`${at}/certificate`, read.wrong);
  return read;
}

/** @throws DomainError `already_exists` when the account has the same certificate, or the same subject */
function assertNewIdentity(identity: CertificateCredential['identity'], others: OtherCredentials): void {
  const { existing, issued, at } = others;
  const same = [...existing, ...issued].filter(isCertificate).find((one) => keyOf(one.identity) === keyOf(identity));
  const member = 'member' in identity ? identity.member : 'certificate';
  assertNew(same?.credentialId, others, 'The account has this certificate already', `${at}/${member}`);
}

function keyOf(identity: CertificateCredential['identity']): string {
  return 'member' in identity ? `${identity.member} ${identity.value}` : identity.thumbprint;
}

function isCertificate(credential: StoredCredential): credential is CertificateCredential {
  return credential.type === 'certificate';
}

function refused(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The certificate cannot be used', { fields: [{ pointer, message }] });
}
