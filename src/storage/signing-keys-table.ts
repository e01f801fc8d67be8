import type { SigningKeyStore } from '../domain/signing-keys/signing-key-store.ts';
import type { PublicSigningJwk, SigningAlg } from '../domain/signing-keys/signing-key.ts';
import { allRows } from './owned-rows.ts';
import type { Tables } from './transaction.ts';

interface SigningKeyRow {
  kid: string;
  alg: SigningAlg;
  public_jwk: PublicSigningJwk;
  sealed_private_jwk: string;
  created_at: Date;
  signs_from: Date | null;
  retired_at: Date | null;
}

/** The key of the advisory lock that is held while signing keys are generated or retired. */
const LOCK = 0x57_52_4b_59;

export function signingKeysTable(knex: Tables): SigningKeyStore {
  return {
    async insert(key) {
      await knex('signing_keys').insert({
        kid: key.kid,
        alg: key.alg,
        public_jwk: JSON.stringify(key.publicJwk),
        sealed_private_jwk: key.sealedPrivateJwk,
        created_at: key.createdAt,
        signs_from: key.signsFrom,
        retired_at: key.retiredAt ?? null,
      });
    },

    async update({ kid, signsFrom, retiredAt }) {
      await knex('signing_keys')
        .where({ kid })
        .update({ signs_from: signsFrom, retired_at: retiredAt ?? null });
    },

    async reseal({ kid, sealedPrivateJwk }) {
      await knex('signing_keys').where({ kid }).update({ sealed_private_jwk: sealedPrivateJwk });
    },

    async delete(kid) {
      await knex('signing_keys').where({ kid }).delete();
    },

    deleteRetired: (before) => knex('signing_keys').where('retired_at', '<', before).delete(),

    async list() {
      const rows = await knex('signing_keys').orderBy(['created_at', 'kid']).select<SigningKeyRow[]>();
      return rows.map((row) => ({
        kid: row.kid,
        alg: row.alg,
        publicJwk: row.public_jwk,
        sealedPrivateJwk: row.sealed_private_jwk,
        createdAt: row.created_at,
        signsFrom: row.signs_from ?? row.created_at,
        retiredAt: row.retired_at ?? undefined,
      }));
    },

    async lock() {
      await knex.raw('select pg_advisory_xact_lock(?)', [LOCK]);
    },

    async named() {
      const rows: { signing_alg: SigningAlg }[] = await allRows(knex, 'resource_servers')
        .whereNotNull('signing_alg')
        .distinct('signing_alg');
      return new Set(rows.map((row) => row.signing_alg));
    },
  };
}
