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
/** The most statements in flight: loads of accounts use the other connections for tokens. */
const MOST_IN_FLIGHT = 2;
/** The assertions that must wait before a statement goes beside another one. Each statement costs, whatever is in it. */
const ENOUGH = 16;

// If one assertion stands twice in a statement, ON CONFLICT inserts it once. The fixed order prevents deadlocks between
// statements.
const INSERT = `
  insert into assertion_replays (client_id, jti, expires_at)
  select * from unnest(?::text[], ?::text[], ?::timestamptz[]) as used (client_id, jti, expires_at)
  order by client_id, jti
  on conflict do nothing
  returning client_id, jti`;

/**
 * Keeps one row for every assertion that was consumed. An assertion that arrives alone goes at once. Assertions that
 * arrive while a statement is in flight go together in the next statement: when the first one is done, or when enough of
 * them wait. Each waits until its row is on the disk: a row that a crash could take away would let an assertion in twice.
 */
export function assertionReplaysTable(knex: Tables): ReplayStore {
  let waiting: Waiting[] = [];
  let inFlight = 0;

  async function send(batch: readonly Waiting[]): Promise<void> {
    inFlight += 1;
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
    inFlight -= 1;
    sendAll();
  }

  /** Sends what waits, as long as a statement may go. */
  function sendAll(): void {
    while (waiting.length > 0 && (inFlight === 0 || (inFlight < MOST_IN_FLIGHT && waiting.length >= ENOUGH))) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(MOST_AT_ONCE);
      void send(batch);
    }
  }

  /** The uses of one request go together in one statement. */
  function consumeAll(uses: readonly Use[]): Promise<boolean[]> {
    const all = uses.map(
      ({ owner: clientId, jti, expiresAt }) =>
        new Promise<boolean>((resolve, reject) => {
          waiting.push({ clientId, jti, expiresAt, resolve, reject });
        }),
    );
    sendAll();
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
