import type { Knex } from 'knex';
import type { ServerSecretStore } from '../domain/encryption/server-secrets.ts';

export function serverSecretsTable(knex: Knex): ServerSecretStore {
  return {
    async find(name) {
      const row = await knex<{ name: string; sealed: string }>('server_secrets').where({ name }).first('sealed');
      return row?.sealed;
    },

    async insert({ name, sealed, createdAt }) {
      await knex('server_secrets').insert({ name, sealed, created_at: createdAt });
    },
  };
}
