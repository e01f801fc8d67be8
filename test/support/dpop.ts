import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { type ClientAlg, clientKey, type ClientKey, jws } from './assertions.ts';

/** A key with which a client proves that a token is its own. */
export interface DpopKey extends ClientKey {
  /** The thumbprint of the key (RFC 7638). */
  readonly jkt: string;
}

export async function dpopKey(alg: ClientAlg = 'ES256'): Promise<DpopKey> {
  const key = clientKey(alg);
  return { ...key, jkt: await calculateJwkThumbprint(publicJwk(key)) };
}

/** The request that a proof is for, and what is to be different in the proof. */
export interface WantedProof {
  readonly htu: string;
  readonly htm?: string;
  readonly accessToken?: string;
  /** Changed claims; undefined leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Changed members of the header; undefined leaves a member out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Makes a DPoP proof (RFC 9449 §4.2). */
export function dpopProof(key: ClientKey, { htu, htm = 'POST', accessToken, claims, header }: WantedProof): string {
  const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url');
  return jws(
    key,
    { typ: 'dpop+jwt', alg: key.alg, jwk: publicJwk(key), ...header },
    { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...(ath !== undefined && { ath }), ...claims },
  );
}

function publicJwk({ publicKey }: ClientKey): { kty: string } {
  return { kty: '', ...publicKey.export({ format: 'jwk' }) };
}
