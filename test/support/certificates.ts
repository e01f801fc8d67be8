// oxlint-disable-next-line import/no-unassigned-import -- the certificate library wants it, and exports nothing of it
import 'reflect-metadata';
import { createHash, KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

/** A certificate of a test, with its private key. */
export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly der: Buffer;
  /** PEM. */
  readonly key: string;
  /** The value of `cnf["x5t#S256"]`. */
  readonly thumbprint: string;
  /** The value of the header `Client-Cert` (RFC 9440). */
  readonly header: string;
}

/** An authority that issues certificates. */
export interface TestAuthority extends TestCertificate {
  readonly pair: webcrypto.CryptoKeyPair;
  issue(wanted?: WantedCertificate): Promise<TestCertificate>;
}

export interface WantedCertificate {
  /** The subject as RFC 4514 writes it. */
  readonly subject?: string;
  /** The subject by its attributes, the most general first, in place of the text. */
  readonly name?: readonly (readonly [string, string])[];
  readonly names?: x509.JsonGeneralNames;
  readonly from?: Date;
  readonly to?: Date;
  /** The purposes (extended key usage); when absent: to authenticate a client. */
  readonly purposes?: readonly string[];
  readonly authority?: boolean;
  /** The name of the issuer, if it is not that of the authority. */
  readonly issuer?: string;
  /** Further extensions: the value in hexadecimal, by identifier. */
  readonly extensions?: Readonly<Record<string, string>>;
  /** The key pair; when absent: a new one. */
  readonly pair?: webcrypto.CryptoKeyPair;
  /** The bits of an RSA key; when absent: the key is on P-256. */
  readonly rsa?: number;
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

async function make(
  {
    subject = 'CN=client',
    names = [],
    from,
    to,
    purposes = [CLIENT_AUTH],
    authority = false,
    rsa,
    name,
    extensions = {},
    pair: given,
  }: WantedCertificate,
  issuer?: { readonly name: string; readonly signingKey: CryptoKey },
): Promise<TestCertificate & { readonly pair: webcrypto.CryptoKeyPair }> {
  const algorithm =
    rsa === undefined
      ? EC
      : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: rsa, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair: webcrypto.CryptoKeyPair =
    given ?? (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']));
  const made = await x509.X509CertificateGenerator.create({
    subject:
      name === undefined ? subject : new x509.Name(name.map(([type, value]) => ({ [type]: [{ utf8String: value }] }))),
    issuer: issuer?.name ?? (name === undefined ? subject : ''),
    notBefore: from ?? new Date(Date.now() - DAY),
    notAfter: to ?? new Date(Date.now() + 30 * DAY),
    publicKey: pair.publicKey,
    signingKey: issuer?.signingKey ?? pair.privateKey,
    signingAlgorithm: issuer === undefined ? algorithm : EC,
    extensions: [
      new x509.BasicConstraintsExtension(authority, undefined, true),
      ...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension([...purposes])] : []),
      ...Object.entries(extensions).map(([id, value]) => new x509.Extension(id, false, Buffer.from(value, 'hex'))),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const der = Buffer.from(made.rawData);
  return {
    pair,
    der,
    cert: made.toString('pem'),
    key: pem(KeyObject.from(pair.privateKey)),
    thumbprint: createHash('sha256').update(der).digest('base64url'),
    header: `:${der.toString('base64')}:`,
  };
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** Makes a certificate that is signed with its own key. */
export function selfSigned(wanted: WantedCertificate = {}): Promise<TestCertificate> {
  return make(wanted);
}

/** Makes an authority. */
export async function testAuthority(wanted: WantedCertificate = {}): Promise<TestAuthority> {
  const subject = wanted.subject ?? 'CN=Test authority';
  const own = await make({ purposes: [], ...wanted, subject, authority: true });
  return {
    ...own,
    issue: (leaf = {}) => make(leaf, { name: leaf.issuer ?? subject, signingKey: own.pair.privateKey }),
  };
}
