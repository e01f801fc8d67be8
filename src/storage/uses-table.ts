import type { UseStore } from '../domain/credentials/use-store.ts';
import type { ClientId, CredentialId } from '../domain/ids.ts';
import { HANDFUL } from '../domain/storage.ts';
import { CHANNEL } from './change-feed.ts';
import type { Tables } from './transaction.ts';

/**
 * Several nodes record uses in any order: the latest time stays, and the counts add up. The fixed order of the rows
 * prevents deadlocks, and uses of deleted accounts are dropped.
 *
 * Rows of all: one statement records the uses of many accounts, by client ids, which are unique.
 */
const RECORD = `
  with seen as (
    select * from jsonb_to_recordset(?::jsonb)
      as seen(client_id text, credential_id text, used_at timestamptz, source text, count bigint)
    where exists (select from service_accounts where service_accounts.client_id = seen.client_id)
  ), last as (
    insert into last_uses (client_id, credential_id, used_at, source)
      select client_id, credential_id, used_at, source from seen order by client_id, credential_id
      on conflict (client_id, credential_id) do update set used_at = excluded.used_at, source = excluded.source
      where last_uses.used_at < excluded.used_at
  ), counted as (
    insert into use_counts (client_id, credential_id, day, count)
      select client_id, credential_id, (used_at at time zone 'utc')::date, count from seen
      order by client_id, credential_id
      on conflict (client_id, credential_id, day) do update set count = use_counts.count + excluded.count
  ), extended as (
    update credentials set expires_at = used_at + lifetime * interval '1 second'
      from seen where seen.credential_id = credentials.credential_id and extend and state = 'enabled'
        -- Extended by at least a twentieth of the lifetime: every node must read an extended account anew.
        and expires_at < used_at + lifetime * 0.95 * interval '1 second'
      returning seen.client_id
  )
  select client_id, pg_notify(?, json_build_object('kind', 'account', 'clientId', client_id)::text) from extended`;

const KEY = ['client_id', 'credential_id', 'day'];

export function usesTable(knex: Tables): UseStore {
  return {
    async record(uses) {
      if (uses.length === 0) return [];
      const rows = uses.map(({ clientId, credentialId, usedAt, source, count }) => ({
        client_id: clientId,
        credential_id: credentialId,
        used_at: usedAt,
        source,
        count,
      }));
      const extended = await knex.raw<{ rows: { client_id: ClientId }[] }>(RECORD, [JSON.stringify(rows), CHANNEL]);
      return extended.rows.map((row) => row.client_id);
    },

    async lastOf(clientId) {
      const rows: { credential_id: CredentialId; used_at: Date; source: string }[] = await knex('last_uses')
        .where({ client_id: clientId })
        .select('credential_id', 'used_at', 'source');
      return rows.map(({ credential_id: credentialId, used_at: usedAt, source }) => ({ credentialId, usedAt, source }));
    },

    async countsOf(clientId, credentialId) {
      const rows: { day: string; count: string }[] = await knex('use_counts')
        .where({ client_id: clientId, credential_id: credentialId })
        .orderBy('day', 'desc')
        .select(knex.raw('day::text as day'), knex.raw('count::text as count'));
      return rows.map(({ day, count }) => ({ day, count: Number(count) }));
    },

    async deleteCounts(before) {
      const gone: unknown[] = await knex('use_counts')
        .whereIn(KEY, knex('use_counts').where('day', '<', before).limit(HANDFUL).select(KEY))
        .delete('credential_id');
      return gone.length;
    },
  };
}
