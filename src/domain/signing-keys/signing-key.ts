import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Sign } from './signers/signer.ts';

export const SIGNING_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;
export type SigningAlg = (typeof SIGNING_ALGS)[number];

/** A key as it stands in the JWKS: its public half, its use and its algorithm (RFC 7517 §4). */
export interface PublicSigningJwk {
  readonly kty: string;
  readonly use: 'sig';
  readonly alg: SigningAlg;
  readonly kid: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** A key that signs access tokens. */
export interface SigningKey {
  /** The thumbprint of the public key (RFC 7638), or the name that another server gave to the key. */
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly publicJwk: PublicSigningJwk;
  /** The thumbprint of the public key (RFC 7638). */
  readonly thumbprint: string;
  readonly sign: Sign;
  readonly createdAt: Date;
}

/** A key pair that was generated a moment ago. */
export interface GeneratedKey extends Omit<SigningKey, 'thumbprint' | 'sign' | 'createdAt'> {
  readonly privateJwk: JWK;
}

const generate = promisify(generateKeyPair);

/** Generates a key for one algorithm: P-256, Ed25519, or RSA of 2048 bits. */
export async function generateSigningKey(alg: SigningAlg): Promise<GeneratedKey> {
  const { privateKey } = await keyPair(alg);
  return signingKeyFrom(alg, privateKey);
}

/**
 * Makes the JWKs of a key pair; the public JWK has no private member.
 *
 * @param name the `kid`; undefined: the thumbprint of the public key (RFC 7638)
 */
export async function signingKeyFrom(alg: SigningAlg, privateKey: KeyObject, name?: string): Promise<GeneratedKey> {
  const { kty, crv, x, y, n, e } = createPublicKey(privateKey).export({ format: 'jwk' });
  const members = Object.fromEntries(Object.entries({ crv, x, y, n, e }).filter(([, value]) => value !== undefined));
  const kid = name ?? (await calculateJwkThumbprint({ kty: kty ?? '', ...members }));
  return {
    kid,
    alg,
    publicJwk: { kty: kty ?? '', use: 'sig', alg, kid, ...members },
    privateJwk: { ...privateKey.export({ format: 'jwk' }), kty: kty ?? '', use: 'sig', alg, kid },
  };
}

function keyPair(alg: SigningAlg): Promise<{ privateKey: KeyObject }> {
  switch (alg) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generate('ed25519');
    case 'RS256':
    case 'PS256':
      return generate('rsa', { modulusLength: 2048 });
  }
}
