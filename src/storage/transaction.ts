import type { Knex } from 'knex';
import pg from 'pg';
import { within } from './within.ts';

/** The most milliseconds that a rollback may take: it may wait for a statement that was given up and still runs. */
const UNDOING = 1000;

declare const reached: unique symbol;
/** The name of a table whose rows belong to companies. Only `owned-rows.ts` makes such a name. */
export type ReachedTable = string & { readonly [reached]: true };

/** The tables whose rows belong to no company, or to rows of another table. */
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

/** The part of the query builder that a table file needs. Inside a transaction it uses the transaction's connection. */
export interface Tables {
  (table: SharedTable | ReachedTable): Knex.QueryBuilder;
  // oxlint-disable-next-line typescript/no-explicit-any -- as the query builder has it
  raw<Result = any>(sql: string, bindings?: Bindings): Knex.Raw<Result>;
}

type Bindings = readonly Knex.RawBinding[] | Knex.ValueDict;

/** Runs work in one transaction: commits it when the work succeeds, and rolls it back when the work fails. */
export type Transaction = <Result>(work: (tables: Tables) => Promise<Result>) => Promise<Result>;

/**
 * Creates a function that runs transactions by naming the connection of each statement. Each transaction of the query
 * builder would create a whole query builder of more than a hundred functions: more garbage than the rest of a small
 * write.
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
      // The role or the database may have another isolation level as its default.
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

/** Closes a connection on which a transaction may still be open. The embedded database keeps its only connection. */
async function abandon(connection: unknown): Promise<void> {
  if (connection instanceof pg.Client) await connection.end();
}
