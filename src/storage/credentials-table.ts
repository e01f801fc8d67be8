import type { Knex } from 'knex';
import { maxAgeOf } from '../domain/credentials/lifetime.ts';
import type { CountedEnds, CredentialStore } from '../domain/credentials/credential-store.ts';
import { CREDENTIAL_TYPES } from '../domain/credentials/credential.ts';
import type { ClientId, CredentialId } from '../domain/ids.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { AccountKey } from '../domain/service-accounts/service-account.ts';
import { COLUMNS, columnsOf, credentialRows, describedColumns } from './credential-rows.ts';
import { insertFromJson } from './insert-from-json.ts';
import { listCredentials } from './listed-credentials.ts';
import { allRows, ownRows } from './owned-rows.ts';
import { ALLOT, OF_GONE } from './status-entries-table.ts';
import { HANDFUL } from '../domain/storage.ts';
import type { Tables } from './transaction.ts';

export function credentialsTable(knex: Tables, builtIn: BuiltInIdentifiers): CredentialStore {
  const ownerOfSubject: CredentialStore['ownerOfSubject'] = async (issuer, subject) => {
    const row = await allRows(knex, 'credentials')
      .where({ type: 'federated' })
      .whereRaw(`data ->> 'issuer' = ? and data ->> 'subject' = ?`, [issuer, subject])
      .whereRaw(`(data ->> 'match' = 'exact' or strpos(data ->> 'subject', '*') = 0)`)
      .first<{ client_id: ClientId } | undefined>('client_id');
    return row?.client_id;
  };

  return {
    ownerOfSubject,

    async keepSubject(issuer, subject) {
      // Lock first, then read: a single statement would read the rows as they were before it got the lock.
      await knex.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`federated ${issuer} ${subject}`]);
      return ownerOfSubject(issuer, subject);
    },

    list: (company, filter, page) => listCredentials(knex, builtIn, company, filter, page),

    async insert(account, credentials) {
      if (credentials.length === 0) return;
      await knex.raw(`with its_credentials as (${insertFromJson('credentials', COLUMNS)}) select ${ALLOT}`, [
        credentialRows(account, credentials),
        credentials.map(({ credentialId }) => credentialId),
        credentials.map(() => account.clientId),
        account.company ?? null,
      ]);
    },

    async update(account, credential) {
      // The secret and the key of a credential never change.
      const { permissions, ...columns } = describedColumns(credential);
      const { data } = columnsOf(credential);
      await ownRows(knex, 'credentials', account.company)
        .where(keyOf(account, credential.credentialId))
        .update({ ...columns, data, permissions: permissions === null ? null : JSON.stringify(permissions) });
    },

    async shorten(company, policy, now) {
      let limited = 0;
      for (const type of CREDENTIAL_TYPES) {
        const most = maxAgeOf(type, policy);
        if (most === undefined) continue;
        const end = new Date(now.getTime() + most * 1000);
        const all = (): Knex.QueryBuilder => ownRows(knex, 'credentials', company ?? '*').where({ type });
        // These credentials may expire soon enough, but their next use would extend them beyond the maximum age.
        await all().where({ extend: true }).where('lifetime', '>', most).update({ lifetime: most });
        const ended: unknown[] = await all()
          .where((query) => query.whereNull('expires_at').orWhere('expires_at', '>', end))
          .update({
            expires_at: end,
            lifetime: most,
            expires_by_policy: knex.raw(`state <> 'ending'`),
            revision: knex.raw('revision + 1'),
          })
          .returning('credential_id');
        limited += ended.length;
      }
      return limited;
    },

    countEnds: async (now, soon) =>
      allRows(knex, 'credentials')
        .where({ state: 'enabled' })
        .where('expires_at', '<=', soon)
        .groupBy('type')
        .select<CountedEnds[]>(
          'type',
          knex.raw('(count(*) filter (where expires_at > ?))::int as expiring', [now]),
          knex.raw('(count(*) filter (where expires_at <= ?))::int as expired', [now]),
        ),

    async delete(account, credentialId) {
      await ownRows(knex, 'credentials', account.company).where(keyOf(account, credentialId)).delete('credential_id');
    },

    async ownerOf(secretHash) {
      const row = await allRows(knex, 'credentials')
        .where({ secret_hash: secretHash })
        .first<{ client_id: ClientId }>('client_id');
      return row?.client_id;
    },

    async deleteEnded(before) {
      const some = allRows(knex, 'credentials')
        .where({ state: 'ending' })
        .where('expires_at', '<', before)
        .limit(HANDFUL)
        .select('credential_id');
      // Rows of all: the ended credentials of root and of every company are deleted.
      const { rows } = await knex.raw<{ rows: unknown[] }>(
        `with gone as (delete from credentials where credential_id in (?) returning credential_id),
           revoked as (update status_entries set revoked_at = now() from gone where ${OF_GONE})
         select from gone`,
        [some],
      );
      return rows.length;
    },
  };
}

function keyOf({ clientId }: AccountKey, credentialId: CredentialId): Record<string, string> {
  return { credential_id: credentialId, client_id: clientId };
}
