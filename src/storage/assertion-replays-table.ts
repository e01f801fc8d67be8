import type { ReplayStore, Use } from '../domain/assertions/replay-store.ts';
import { HANDFUL } from '../domain/storage.ts';
import type { Tables } from './transaction.ts';

interface Waiting {
  readonly clientId: string;
  readonly jti: string;
  readonly expiresAt: Date;
  readonly resolve: (unused: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** The most assertions in one statement. */
const MOST_AT_ONCE = 500;

// If one assertion stands twice in a statement, ON CONFLICT inserts it once. The fixed order prevents deadlocks between
// statements.
const INSERT = `
  insert into assertion_replays (client_id, jti, expires_at)
  select * from unnest(?::text[], ?::text[], ?::timestamptz[]) as used (client_id, jti, expires_at)
  order by client_id, jti
  on conflict do nothing
  returning client_id, jti`;

/**
 * Keeps one row for every assertion that was consumed. Assertions that arrive while a statement is in flight go
 * together in the next statement. An assertion that arrives alone goes at once.
 */
export function assertionReplaysTable(knex: Tables): ReplayStore {
  let waiting: Waiting[] = [];
  let inFlight = false;

  async function send(batch: readonly Waiting[]): Promise<void> {
    try {
      const { rows } = await knex.raw<{ rows: { client_id: string; jti: string }[] }>(INSERT, [
        batch.map(({ clientId }) => clientId),
        batch.map(({ jti }) => jti),
        batch.map(({ expiresAt }) => expiresAt),
      ]);
      // A client id contains no NUL: the joined text is unambiguous.
      const inserted = new Set(rows.map((row) => `${row.client_id}\0${row.jti}`));
      for (const { clientId, jti, resolve } of batch) resolve(inserted.delete(`${clientId}\0${jti}`));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async function drain(): Promise<void> {
    inFlight = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(MOST_AT_ONCE);
      await send(batch);
    }
    inFlight = false;
  }

  /** The uses of one request go together in one statement. */
  function consumeAll(uses: readonly Use[]): Promise<boolean[]> {
    const all = uses.map(
      ({ owner: clientId, jti, expiresAt }) =>
        new Promise<boolean>((resolve, reject) => {
          waiting.push({ clientId, jti, expiresAt, resolve, reject });
        }),
    );
    if (!inFlight) void drain();
    return Promise.all(all);
  }

  return {
    consumeAll,

    async consume(owner, jti, expiresAt) {
      const [unused = false] = await consumeAll([{ owner, jti, expiresAt }]);
      return unused;
    },

    /**
     * Deletes few rows at a time, so that no assertion waits for a long delete. A row stays for an hour after its end:
     * it must outlive the assertion on every node, and the clock of a node may be behind the clock of the database.
     */
    async deleteExpired() {
      const { rows } = await knex.raw<{ rows: unknown[] }>(
        `delete from assertion_replays where (client_id, jti) in (
           select client_id, jti from assertion_replays where expires_at < now() - interval '1 hour'
           order by expires_at limit ${HANDFUL} for update skip locked
         ) returning 1`,
      );
      return rows.length;
    },
  };
}
