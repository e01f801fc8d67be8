import { type KeyObject, X509Certificate } from 'node:crypto';
import { rsaWeakness } from '../credentials/rsa-weakness.ts';
import { certificateOf, timesOf, wrongTime } from './client-certificate.ts';

/** One certificate, whoever has issued it. */
export interface PinnedCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly thumbprint: string;
}

/** A certificate that was read, with the time at which it ends. */
export interface ReadCertificate {
  readonly identity: PinnedCertificate;
  readonly notAfter: Date;
}

const CURVES: ReadonlySet<unknown> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Reads a certificate of a caller.
 *
 * @returns the certificate, or why it cannot be used: words that never contain what was sent
 */
export async function readCertificate(text: string, now: Date): Promise<ReadCertificate | { readonly wrong: string }> {
  if (/PRIVATE KEY/.test(text)) return { wrong: 'holds private key material' };
  if (text.split('-----BEGIN CERTIFICATE-----').length > 2) {
    return { wrong: 'holds several certificates: send the certificate of the client alone' };
  }
  let x509: X509Certificate;
  let key: KeyObject;
  try {
    x509 = new X509Certificate(text.trim());
    key = x509.publicKey;
  } catch {
    return { wrong: 'is no certificate in PEM' };
  }
  const weakness = await weaknessOf(key);
  if (weakness !== undefined) return { wrong: `has a key that ${weakness}` };
  const times = timesOf(x509);
  if (times === undefined) return { wrong: 'has times that cannot be read' };
  const expired = wrongTime({ x509 }, now);
  if (expired !== undefined && now > times.to) return { wrong: `cannot be used: ${expired}` };
  const { thumbprint } = certificateOf(x509);
  return { identity: { certificate: x509.toString(), thumbprint }, notAfter: times.to };
}

async function weaknessOf(key: KeyObject): Promise<string | undefined> {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519' || type === 'ed448') return undefined;
  if (type === 'ec') return CURVES.has(details?.namedCurve) ? undefined : 'must be on P-256, P-384 or P-521';
  if (type !== 'rsa' && type !== 'rsa-pss') return 'must be RSA, EC, Ed25519 or Ed448';
  const { n = '', e = '' } = key.export({ format: 'jwk' });
  return (await rsaWeakness(Buffer.from(n, 'base64url'), Buffer.from(e, 'base64url')))?.message;
}
