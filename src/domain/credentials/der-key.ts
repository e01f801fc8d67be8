import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { algorithmOf, keyBitsOf } from './spki.ts';

/** Refuses a key. `message` completes "The public key cannot be used: …" and never contains the key. */
export type RefuseKey = (message: string) => never;

export const PRIVATE = 'it holds private key material';
export const CERTIFICATE = 'it is a certificate: send the key in it, "openssl x509 -pubkey -noout -in FILE" shows it';
const KINDS = 'RSA keys, EC keys on P-256 and Ed25519 keys are taken';

/** The names of the kinds of keys that Node.js can read, but that cannot sign assertions here. */
const KIND_NAMES: Readonly<Record<string, string>> = {
  dsa: 'a DSA key',
  dh: 'a Diffie-Hellman key, which signs nothing',
  x25519: 'an X25519 key, which signs nothing',
  x448: 'an X448 key, which signs nothing',
  ed448: 'an Ed448 key',
};

/**
 * Reads a public key in DER: a SubjectPublicKeyInfo (RFC 5280 §4.1) or, for RSA, PKCS #1 (RFC 8017 §A.1.1).
 *
 * @returns the key as a JWK; for an `id-RSASSA-PSS` key (RFC 4055 §1.2) the RSA key in it, for PS256
 * @throws the error of `refuse` for everything else, with a message that says what it is
 */
export function jwkOfDer(der: Buffer, refuse: RefuseKey): Record<string, unknown> {
  if (isPrivate(der)) return refuse(`${PRIVATE}: send the public half alone`);
  const key = publicKeyOf(der);
  if (key !== undefined) return jwkOfKey(key, refuse);
  if (isCertificate(der)) return refuse(CERTIFICATE);
  const algorithm = algorithmOf(der);
  return refuse(
    algorithm === undefined
      ? 'it holds no public key'
      : `it holds no public key that can be read (its algorithm has the OID ${algorithm}): ${KINDS}`,
  );
}

function jwkOfKey(key: KeyObject, refuse: RefuseKey): Record<string, unknown> {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {} } = key;
  if (type === 'rsa' || type === 'ed25519') return { ...key.export({ format: 'jwk' }) };
  if (type === 'rsa-pss') return jwkOfPss(key, refuse);
  if (type !== 'ec') return refuse(`it is ${KIND_NAMES[type] ?? `a key of the kind ${type}`}: ${KINDS}`);
  return details.namedCurve === 'prime256v1'
    ? { ...key.export({ format: 'jwk' }) }
    : refuse(`it is an EC key on ${details.namedCurve ?? 'a curve of its own'}: ${KINDS}`);
}

function jwkOfPss(key: KeyObject, refuse: RefuseKey): Record<string, unknown> {
  const {
    hashAlgorithm = 'sha256',
    mgf1HashAlgorithm = hashAlgorithm,
    saltLength = 0,
  } = key.asymmetricKeyDetails ?? {};
  if (hashAlgorithm !== 'sha256' || mgf1HashAlgorithm !== 'sha256' || saltLength > 32) {
    return refuse(
      `it is an RSA-PSS key for ${hashAlgorithm}, ${mgf1HashAlgorithm} in MGF1 and a salt of ${saltLength} bytes at least: PS256 takes sha256 and 32`,
    );
  }
  const bits = keyBitsOf(key.export({ type: 'spki', format: 'der' }));
  const rsa = bits && publicKeyOf(bits);
  return rsa === undefined ? refuse('it holds no RSA key') : { ...rsa.export({ format: 'jwk' }), alg: 'PS256' };
}

function publicKeyOf(der: Buffer): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      return createPublicKey({ key: der, format: 'der', type });
    } catch {
      // The key may be of the other type.
    }
  }
  return undefined;
}

function isPrivate(der: Buffer): boolean {
  return (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) => {
    try {
      return createPrivateKey({ key: der, format: 'der', type }).type === 'private';
    } catch (error) {
      // Without its passphrase an encrypted private key cannot be read.
      return error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE';
    }
  });
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
}
