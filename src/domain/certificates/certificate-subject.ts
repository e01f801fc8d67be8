import type { X509Certificate } from 'node:crypto';
import type { ClientCertificate } from './client-certificate.ts';
import { canonicalName, writtenName } from './distinguished-name.ts';

/** The parts of a certificate that can name a client (RFC 8705 §2.1.2), by the members that hold the expected value. */
export const SUBJECT_MEMBERS = ['subjectDn', 'sanDns', 'sanUri', 'sanIp', 'sanEmail'] as const;
export type SubjectMember = (typeof SUBJECT_MEMBERS)[number];

/** The subject that a certificate must have. */
export interface CertificateSubject {
  readonly member: SubjectMember;
  readonly value: string;
}

interface SubjectPart {
  /** Why a value cannot be expected, in words; undefined: it can. */
  wrongWith(value: string): string | undefined;
  /** Whether a certificate has just this value. */
  fits(x509: X509Certificate, value: string): boolean;
}

const PARTS: Readonly<Record<SubjectMember, SubjectPart>> = {
  subjectDn: {
    wrongWith: (value) =>
      canonicalName(value) === undefined
        ? 'is no distinguished name (RFC 4514), such as CN=billing,O=Acme,C=DE'
        : undefined,
    fits(x509, value) {
      // A certificate without a subject has names in an extension only: its name is empty, and none.
      const name = canonicalName(writtenName(x509.subject));
      return name !== undefined && name === canonicalName(value);
    },
  },
  sanDns: {
    wrongWith: (value) =>
      /^(?=.{1,253}$)[a-z\d_](?:[a-z\d_-]*[a-z\d_])?(?:\.[a-z\d_](?:[a-z\d_-]*[a-z\d_])?)*$/i.test(value)
        ? undefined
        : 'is no host name without a wildcard',
    fits: (x509, value) => x509.checkHost(value, { subject: 'never', wildcards: false }) !== undefined,
  },
  sanUri: {
    wrongWith: (value) => (/^[a-z][a-z\d+.-]*:[!-~]+$/i.test(value) ? undefined : 'is no absolute URI'),
    fits: ({ subjectAltName }, value) => urisIn(subjectAltName ?? '').includes(value),
  },
  sanIp: {
    wrongWith: (value) => (isAddress(value) ? undefined : 'is no IP address'),
    fits: (x509, value) => x509.checkIP(value) !== undefined,
  },
  sanEmail: {
    wrongWith: (value) => (/^[!-?A-~]{1,64}@[a-z\d.-]{1,255}$/i.test(value) ? undefined : 'is no e-mail address'),
    fits: (x509, value) => x509.checkEmail(value, { subject: 'never' }) !== undefined,
  },
};

/** Why a subject cannot be expected, in words; undefined: it can. */
export function wrongWithSubject({ member, value }: CertificateSubject): string | undefined {
  return PARTS[member].wrongWith(value);
}

/** Whether a certificate, for which an authority vouches, has the expected subject. */
export function hasSubject({ x509 }: ClientCertificate, { member, value }: CertificateSubject): boolean {
  try {
    return PARTS[member].fits(x509, value);
  } catch {
    // OpenSSL throws when another name in the certificate is broken.
    return false;
  }
}

/** An entry of the text in which Node.js writes a subject alternative name: its value may be a JSON string. */
const ENTRY = /([A-Za-z\d ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/** The URIs in a subject alternative name; none, when the text cannot be read to its end. */
function urisIn(subjectAltName: string): readonly string[] {
  const uris: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < subjectAltName.length) {
    const [, kind, value] = ENTRY.exec(subjectAltName) ?? [];
    if (value === undefined) return [];
    if (kind === 'URI') uris.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return uris;
}

function isAddress(text: string): boolean {
  if (text.includes(':')) return /^[\dA-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) && URL.parse(`http://${text}`)?.hostname === text;
}
