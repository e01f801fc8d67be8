import type { Knex } from 'knex';
import pg from 'pg';
import { within } from './within.ts';

/** How long undoing may take, in milliseconds: it waits behind a statement that was given up and still runs. */
const UNDOING = 1000;

declare const reached: unique symbol;
/** A table whose rows belong to companies, once `owned-rows.ts` has reached it. */
export type ReachedTable = string & { readonly [reached]: true };

/** Tables whose rows belong to nobody, or to what another table holds. */
type SharedTable =
  | 'declared_permissions'
  | 'introspectors'
  | 'last_uses'
  | 'retired_ids'
  | 'revoked_tokens'
  | 'role_permissions'
  | 'server_secrets'
  | 'signing_keys'
  | 'status_entries'
  | 'use_counts';

/** What a table file needs of the query builder: inside a transaction it speaks on the transaction's connection. */
export interface Tables {
  (table: SharedTable | ReachedTable): Knex.QueryBuilder;
  // oxlint-disable-next-line typescript/no-explicit-any -- as the query builder has it
  raw<Result = any>(sql: string, bindings?: Bindings): Knex.Raw<Result>;
}

type Bindings = readonly Knex.RawBinding[] | Knex.ValueDict;

/** Runs work in one transaction: all of it stands when the promise is fulfilled, nothing of it when it is rejected. */
export type Transaction = <Result>(work: (tables: Tables) => Promise<Result>) => Promise<Result>;

/**
 * The query builder's own transactions make a whole query builder each, of more than a hundred functions: more garbage
 * than everything else that a small write leaves. These only name the connection of each statement.
 */
export function createTransaction(knex: Knex): Transaction {
  return async (work) => {
    const connection: unknown = await knex.client.acquireConnection();
    let open = true;
    const on = <Statement extends { connection(connection: unknown): Statement }>(statement: Statement): Statement => {
      if (!open) throw new Error('A statement came after the end of its transaction');
      return statement.connection(connection);
    };
    const tables: Tables = Object.assign((table: string) => on(knex(table)), {
      raw: (sql: string, bindings: Bindings = []) => on(knex.raw(sql, bindings)),
    });
    try {
      // The role or the database may have another default.
      await tables.raw('begin isolation level read committed');
      const result = await work(tables);
      await tables.raw('commit');
      return result;
    } catch (error) {
      await within(tables.raw('rollback'), UNDOING).catch(() => abandon(connection));
      throw error;
    } finally {
      open = false;
      knex.client.releaseConnection(connection);
    }
  };
}

/** Nobody else may find an open transaction on it. The embedded database has one connection only, and keeps it. */
async function abandon(connection: unknown): Promise<void> {
  if (connection instanceof pg.Client) await connection.end();
}
