import type { RevokedTokenStore } from '../domain/status/revoked-token-store.ts';
import { HANDFUL } from '../domain/storage.ts';
import type { Tables } from './transaction.ts';

export function revokedTokensTable(knex: Tables): RevokedTokenStore {
  return {
    async revoke({ jti, clientId, expiresAt }) {
      const inserted: unknown[] = await knex('revoked_tokens')
        .insert({ jti, client_id: clientId, expires_at: expiresAt })
        .onConflict()
        .ignore()
        .returning('jti');
      return inserted.length > 0;
    },

    async isRevoked(jti) {
      return (await knex('revoked_tokens').where({ jti }).first('jti')) !== undefined;
    },

    async deleteExpired(before) {
      const some = knex('revoked_tokens').where('expires_at', '<', before).limit(HANDFUL).select('jti');
      const gone: unknown[] = await knex('revoked_tokens').whereIn('jti', some).delete('jti');
      return gone.length;
    },
  };
}
