import type { Knex } from 'knex';
import type { StatusStore } from '../domain/status/status-store.ts';

/** The live places of credentials that a part of a statement named `gone` deletes. */
export const OF_GONE = 'status_entries.credential_id = gone.credential_id and revoked_at is null';

/** Gives credentials their places, in the statement that adds them: the parameters are their ids, the account of each, and its company. */
export const ALLOT = 'allot_status_entries(?::text[], ?::text[], ?::text)';

export function statusEntriesTable(knex: Knex): StatusStore {
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
      const { rows } = await knex.raw<{ rows: { list: number; revoked: number[] }[] }>(
        `select list, array(
           select idx from status_entries where status_entries.list = lists.list and revoked_at is not null
         ) as revoked
         from generate_series(0, (select coalesce(max(list), 0) from status_entries)) as lists (list)`,
      );
      return { lists: rows.length, revoked: new Map(rows.map(({ list, revoked }) => [list, revoked])) };
    },

    async forgetRevoked(before) {
      const some = knex('status_entries').where('revoked_at', '<', before).limit(1000).select('list', 'idx');
      const gone: unknown[] = await knex('status_entries').whereIn(['list', 'idx'], some).delete('idx');
      return gone.length;
    },
  };
}
