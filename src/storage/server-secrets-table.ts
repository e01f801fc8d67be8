import type { ServerSecretStore } from '../domain/encryption/server-secrets.ts';
import type { Tables } from './transaction.ts';

export function serverSecretsTable(knex: Tables): ServerSecretStore {
  return {
    async find(name) {
      const row = await knex('server_secrets').where({ name }).first<{ sealed: string } | undefined>('sealed');
      return row?.sealed;
    },

    list: () => knex('server_secrets').orderBy('name').select<{ name: string; sealed: string }[]>('name', 'sealed'),

    async update({ name, sealed }) {
      await knex('server_secrets').where({ name }).update({ sealed });
    },

    async insert({ name, sealed, createdAt }) {
      await knex('server_secrets').insert({ name, sealed, created_at: createdAt });
    },
  };
}
