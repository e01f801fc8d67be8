import { createPrivateKey } from 'node:crypto';
import type { JWK } from 'jose';
import type { SigningAlg } from '../signing-key.ts';
import { eddsaSigner, es256Signer } from './batch-signer.ts';
import { ps256Signer, rs256Signer } from './pool-signer.ts';
import type { Sign, Signer, SignerTools } from './signer.ts';

/** The signer of each algorithm. */
const SIGNERS: Readonly<Record<SigningAlg, Signer>> = {
  ES256: es256Signer,
  EdDSA: eddsaSigner,
  RS256: rs256Signer,
  PS256: ps256Signer,
};

/** Creates the signer of a private key. From then on, only the signer holds the key. */
export function signerOf(alg: SigningAlg, privateJwk: JWK, tools: SignerTools): Sign {
  return SIGNERS[alg](createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }), tools);
}
