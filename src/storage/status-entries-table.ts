import type { StatusStore } from '../domain/status/status-store.ts';
import { HANDFUL } from '../domain/storage.ts';
import type { Tables } from './transaction.ts';

/** SQL for the live status entries of the credentials that the part `gone` of a statement deletes. */
export const OF_GONE = 'status_entries.credential_id = gone.credential_id and revoked_at is null';

/**
 * SQL that gives credentials their status entries, in the statement that inserts the credentials. The parameters are
 * the ids of the credentials, the account of each credential, and the company.
 */
export const ALLOT = 'allot_status_entries(?::text[], ?::text[], ?::text)';

export function statusEntriesTable(knex: Tables): StatusStore {
  return {
    async settle(clientIds, at) {
      await knex.raw('select settle_status_entries(?::text[], ?)', [[...clientIds], at]);
    },

    async settleCompany(company, at) {
      await knex.raw(
        'select settle_status_entries(array(select client_id from service_accounts where company_id = ?), ?)',
        [company, at],
      );
    },

    async revoked() {
      // The numbers come as bytes: reading a million numbers as text would hold up all requests.
      const { rows } = await knex.raw<{ rows: { list: number; revoked: Uint8Array | null }[] }>(
        `select list, (
           select string_agg(int4send(idx), '') from status_entries
           where status_entries.list = lists.list and revoked_at is not null
         ) as revoked
         from generate_series(0, (select coalesce(max(list), 0) from status_entries)) as lists (list)`,
      );
      return { lists: rows.length, revoked: new Map(rows.map(({ list, revoked }) => [list, numbersOf(revoked)])) };
    },

    async deleteRevoked(before) {
      const some = knex('status_entries').where('revoked_at', '<', before).limit(HANDFUL).select('list', 'idx');
      const gone: unknown[] = await knex('status_entries').whereIn(['list', 'idx'], some).delete('idx');
      return gone.length;
    },
  };
}

/** Reads numbers of four bytes each, the highest byte first. */
function numbersOf(bytes: Uint8Array | null): Uint32Array {
  if (bytes === null) return new Uint32Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(index * 4));
}
