import type { KeyEncryption } from '../encryption/key-encryption.ts';
import type { HeldKey, KeyHolder } from './key-holder.ts';
import type { SignerTools } from './signers/signer.ts';
import { signerOf } from './signers/signers.ts';
import { generateSigningKey } from './signing-key.ts';

/** The label under which the private half of a key is encrypted. */
export function keyLabel(kid: string): string {
  return `signing_keys/${kid}`;
}

/**
 * Creates the holder that keeps private halves in the database, each a JWE (RFC 7516) under the key-encryption key. Its
 * `open` throws UndecryptableError when a key was encrypted with another key-encryption key.
 */
export function createSealedKeys(encryption: KeyEncryption, tools: SignerTools): KeyHolder {
  const take: KeyHolder['take'] = async ({ privateJwk, ...key }): Promise<HeldKey> => {
    const plaintext = Buffer.from(JSON.stringify(privateJwk));
    return { ...key, sealedPrivateJwk: await encryption.seal(plaintext, keyLabel(key.kid)) };
  };
  return {
    generate: async (alg) => take(await generateSigningKey(alg)),
    take,
    async open({ kid, alg, sealedPrivateJwk }) {
      const plaintext = await encryption.open(sealedPrivateJwk, keyLabel(kid));
      return signerOf(alg, JSON.parse(Buffer.from(plaintext).toString()), tools);
    },
  };
}
