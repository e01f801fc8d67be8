import { constants, createPublicKey, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import type { AssertionAlg } from '../assertions/parse-assertion.ts';
import type { Jws } from '../assertions/parse-jws.ts';
import type { IssuerAlg } from '../federation/trusted-issuer.ts';
import type { Batch } from './batch.ts';

/** Whether the signature of a JWS verifies with a key, by the algorithm that the JWS names. */
export type IsSignedWith = (key: JWK, jws: Jws<VerifiedAlg>) => Promise<boolean>;

/** Every algorithm by which signatures are verified. */
type VerifiedAlg = AssertionAlg | IssuerAlg;

/** How signatures of an algorithm are verified (RFC 7518 §3, RFC 8037 §3.1). */
interface Verification {
  readonly digest: 'sha256' | 'sha384' | 'sha512' | undefined;
  readonly keyType: 'ec' | 'ed25519' | 'rsa';
  readonly curve?: string;
  readonly options?: Omit<VerifyKeyObjectInput, 'key'>;
  /** Whether a verification takes so long that the thread pool makes it. */
  readonly slow?: true;
}

const PLAIN = { dsaEncoding: 'ieee-p1363' } as const;
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const;
const ED25519: Verification = { digest: undefined, keyType: 'ed25519' };

const VERIFICATIONS: Readonly<Record<VerifiedAlg, Verification>> = {
  ES256: { digest: 'sha256', keyType: 'ec', curve: 'prime256v1', options: PLAIN },
  ES384: { digest: 'sha384', keyType: 'ec', curve: 'secp384r1', options: PLAIN, slow: true },
  EdDSA: ED25519,
  Ed25519: ED25519,
  RS256: { digest: 'sha256', keyType: 'rsa' },
  RS384: { digest: 'sha384', keyType: 'rsa' },
  RS512: { digest: 'sha512', keyType: 'rsa' },
  PS256: { digest: 'sha256', keyType: 'rsa', options: PSS },
};

/** The fewest bits of an RSA key (RFC 7518 §3.3). */
const FEWEST_BITS = 2048;

const verifyInPool = promisify<string | undefined, Uint8Array, VerifyKeyObjectInput, Uint8Array, boolean>(verify);

/**
 * Creates the verification of signatures, which are verified in batches on the main thread. A key is read once for as
 * long as its object lives.
 */
export function createSignatureCheck(batch: Batch): IsSignedWith {
  const keys = new WeakMap<JWK, KeyObject | undefined>();

  function keyObject(jwk: JWK): KeyObject | undefined {
    if (!keys.has(jwk)) keys.set(jwk, readKey(jwk));
    return keys.get(jwk);
  }

  return async (jwk, { compact, alg }) => {
    const verification = VERIFICATIONS[alg];
    const { digest, options, slow } = verification;
    const key = keyObject(jwk);
    if (key === undefined || !isKeyFor(key, jwk, alg, verification)) return false;
    const dot = compact.lastIndexOf('.');
    const signature = Buffer.from(compact.slice(dot + 1), 'base64url');
    const input = { key, ...options };
    const data = Buffer.from(compact.slice(0, dot));
    return slow ? verifyInPool(digest, data, input, signature) : batch(() => verify(digest, data, input, signature));
  };
}

/** @returns undefined: it is no public key */
function readKey(jwk: JWK): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** Whether a key is one for an algorithm: of another key, the same digest would make another algorithm (RFC 8725 §3.1). */
function isKeyFor(key: KeyObject, jwk: JWK, alg: string, { keyType, curve }: Verification): boolean {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  return (
    (jwk.alg === undefined || jwk.alg === alg) &&
    key.asymmetricKeyType === keyType &&
    namedCurve === curve &&
    (keyType !== 'rsa' || (modulusLength ?? 0) >= FEWEST_BITS)
  );
}
