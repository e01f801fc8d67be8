import type { SigningKeyStore } from '../domain/signing-keys/signing-key-store.ts';
import type { PublicSigningJwk, SigningAlg } from '../domain/signing-keys/signing-key.ts';
import type { Tables } from './transaction.ts';

interface SigningKeyRow {
  kid: string;
  alg: SigningAlg;
  public_jwk: PublicSigningJwk;
  sealed_private_jwk: string;
  created_at: Date;
}

export function signingKeysTable(knex: Tables): SigningKeyStore {
  return {
    async insert(key) {
      await knex('signing_keys').insert({
        kid: key.kid,
        alg: key.alg,
        public_jwk: JSON.stringify(key.publicJwk),
        sealed_private_jwk: key.sealedPrivateJwk,
        created_at: key.createdAt,
      });
    },

    async list() {
      const rows = await knex('signing_keys').orderBy(['created_at', 'kid']).select<SigningKeyRow[]>();
      return rows.map((row) => ({
        kid: row.kid,
        alg: row.alg,
        publicJwk: row.public_jwk,
        sealedPrivateJwk: row.sealed_private_jwk,
        createdAt: row.created_at,
      }));
    },
  };
}
