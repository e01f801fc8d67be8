import { signerOf } from '../../src/domain/signing-keys/signers/signers.ts';
import { createBatch } from '../../src/domain/signatures/batch.ts';
import { generateSigningKey, type SigningAlg, type SigningKey } from '../../src/domain/signing-keys/signing-key.ts';

/** Generates a key that signs as the keys of a server do. */
export async function newSigningKey(alg: SigningAlg): Promise<SigningKey> {
  const { privateJwk, ...key } = await generateSigningKey(alg);
  const batch = createBatch(() => performance.now());
  return { ...key, thumbprint: key.kid, createdAt: new Date(), sign: signerOf(alg, privateJwk, { batch }) };
}
