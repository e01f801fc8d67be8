import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import type { IssuerAlg } from '../../domain/federation/trusted-issuer.ts';
import type { AssertionAlg } from '../../domain/assertions/parse-assertion.ts';

/**
 * A public key for every algorithm, for which nobody can sign: a verification with it costs as much, and always fails.
 */
export type DecoyKeys = Readonly<Record<AssertionAlg | IssuerAlg, JWK>>;

/** Generates decoy keys and keeps no private half. The RSA modulus is just a random number of the right size. */
export function createDecoyKeys(randomBytes: (size: number) => Uint8Array): DecoyKeys {
  const modulus = Buffer.from(randomBytes(256));
  modulus.writeUInt8(modulus.readUInt8(0) | 0x80, 0);
  modulus.writeUInt8(modulus.readUInt8(255) | 0x01, 255);
  const rsa = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' };
  const ec = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
  const ec384 = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
  const ed = publicJwk(generateKeyPairSync('ed25519').publicKey);
  // A separate object for each algorithm: `jose` remembers the imported key by the object.
  return {
    RS256: { ...rsa },
    RS384: { ...rsa },
    RS512: { ...rsa },
    PS256: { ...rsa },
    ES256: ec,
    ES384: ec384,
    EdDSA: { ...ed },
    Ed25519: { ...ed },
  };
}

function publicJwk(key: KeyObject): JWK {
  const { kty = '', crv = '', x = '', y } = key.export({ format: 'jwk' });
  return { kty, crv, x, ...(y !== undefined && { y }) };
}
