import pg from 'pg';
import type { Change } from '../domain/change.ts';
import { isClientId } from '../domain/ids.ts';
import { within } from './within.ts';

/** How this node hears of what other nodes change, and how it knows that it would have heard. */
export interface ChangeFeed {
  /** When the database last answered, on the clock of `performance.now()`. */
  lastAnswer(): number;
  close(): Promise<void>;
}

/** What a feed tells. */
export interface ChangeListener {
  changed(change: Change): void;
  /** Changes may have gone unheard, since `heardUntil` on the clock of `performance.now()`. */
  missed(heardUntil: number): void;
}

/** Where changes are announced, as JSON. */
export const CHANNEL = 'writ_changes';
const ASK_EVERY = 300;
/** After so long without an answer the connection is given up and another is made. */
const GIVE_UP = 3000;

/**
 * Listens on a connection of its own (`LISTEN`), and asks the database something on it every 300 ms. PostgreSQL hands a
 * connection its notifications before the answer to a later question, so an answer says that everything that was
 * committed before the question has been heard.
 *
 * @param url the server itself: through a pgbouncer nothing is heard
 * @param onTrouble told why the connection was lost
 */
export async function createChangeFeed(
  url: string,
  listener: ChangeListener,
  onTrouble: (reason: string) => void,
): Promise<ChangeFeed> {
  let lastAnswer = performance.now();
  let client: pg.Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'writ changes',
      query_timeout: GIVE_UP,
      connectionTimeoutMillis: GIVE_UP,
    });
    next.on('error', () => {});
    next.on('notification', ({ payload }) => {
      const change = parseChange(payload ?? '');
      if (change !== undefined) listener.changed(change);
    });
    try {
      await next.connect();
      await next.query(`listen ${CHANNEL}`);
    } catch (error) {
      next.end().catch(() => {});
      throw error;
    }
    client = next;
  }

  async function ask(): Promise<void> {
    const asked = performance.now();
    try {
      if (client === undefined) {
        const heardUntil = lastAnswer;
        await connect();
        listener.missed(heardUntil);
      } else {
        await client.query('select 1');
      }
      lastAnswer = asked;
    } catch (error) {
      if (client !== undefined) {
        onTrouble(error instanceof Error ? error.message : String(error));
        client.end().catch(() => {});
        client = undefined;
      }
    }
    if (!closed) timer = setTimeout(() => void ask(), ASK_EVERY);
  }

  await connect();
  timer = setTimeout(() => void ask(), ASK_EVERY);
  return {
    lastAnswer: () => lastAnswer,
    async close() {
      closed = true;
      clearTimeout(timer);
      if (client !== undefined) await within(client.end(), GIVE_UP).catch(() => {});
    },
  };
}

function parseChange(payload: string): Change | undefined {
  const change: { kind?: unknown; clientId?: unknown } = JSON.parse(payload);
  if (change.kind === 'everyone' || change.kind === 'statuses') return { kind: change.kind };
  const { clientId } = change;
  return typeof clientId === 'string' && isClientId(clientId) ? { kind: 'account', clientId } : undefined;
}
