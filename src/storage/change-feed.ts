import pg from 'pg';
import type { Announcement } from '../domain/announcement.ts';
import { isClientId, isCompanyId } from '../domain/ids.ts';
import { unheeded, within } from './within.ts';

/** The connection on which this node hears announcements, and by which it knows that it has missed none. */
export interface ChangeFeed {
  /** The time at which the database last answered, on the clock of `performance.now()`. */
  lastAnswer(): number;
  /** Milliseconds by which the database's clock is ahead of this node's. */
  clockOffset(): number;
  close(): Promise<void>;
}

/** The receiver of the announcements that a feed hears. */
export interface ChangeListener {
  changed(announcement: Announcement): void;
  /** Announcements may have been missed since `heardUntil`, on the clock of `performance.now()`. */
  missed(heardUntil: number): void;
}

/** The parts that a feed needs. */
export interface ChangeFeedOptions {
  /** The address of the database; a pooler at this address must not share connections out by transaction. */
  readonly url: string;
  readonly listener: ChangeListener;
  /**
   * Sends an announcement on another connection, as every other node does: behind a pooler, a connection may hear its
   * own announcements only.
   */
  readonly announce: (payload: string) => Promise<unknown>;
  readonly newId: () => string;
  /** This node's wall clock. */
  readonly clock: () => Date;
  /** Called when the database can be reached again: a connection that has not answered after `since` may be silent. */
  readonly onReached: (since: number) => void;
  /** Called after every answer. `clockOffset`: milliseconds by which the database's clock is ahead of this node's. */
  readonly onAnswer: (clockOffset: number) => void;
  readonly onTrouble: (trouble: FeedTrouble) => void;
}

/** `lost`: the connection is lost. `unreadable`: this release cannot read an announcement. */
export interface FeedTrouble {
  readonly kind: 'lost' | 'unreadable';
  readonly reason: string;
  readonly error?: unknown;
}

/** The connection of the feed answers questions, but does not hear announcements. */
export class DeafFeedError extends Error {
  override readonly name = 'DeafFeedError';
}

/** The channel of the announcements, which are JSON. */
export const CHANNEL = 'writ_changes';
/** Milliseconds between two questions to the database. */
const ASK_EVERY = 300;
/** Milliseconds without an answer after which the feed gives up its connection and opens another one. */
const GIVE_UP = 3000;
/** Milliseconds between two calls by which the feed proves that it hears announcements. */
const PROVE_EVERY = 5000;
/**
 * Milliseconds to wait for a call; after that, the answer to a question decides whether the feed has missed the call.
 */
const HEARD_WITHIN = 1000;

/** The question: it asks for the time of the database's clock, in milliseconds. */
const ASK = 'select extract(epoch from clock_timestamp()) * 1000 as now';

/**
 * Listens on a connection of its own (`LISTEN`), and asks the database a question on it every 300 ms. PostgreSQL
 * delivers notifications before the answer to a later question: an answer proves that the feed has heard every
 * announcement that was committed before the question.
 *
 * A pooler that shares connections out by transaction (often pgbouncer) answers questions, but swallows notifications.
 * So the feed announces a call to itself at the start, after every new connection, and every five seconds. A feed that
 * does not hear its call counts as cut off.
 *
 * @throws DeafFeedError when the feed does not hear its call at the start
 */
export async function createChangeFeed(options: ChangeFeedOptions): Promise<ChangeFeed> {
  const { listener, announce, newId, clock, onReached, onAnswer, onTrouble } = options;
  let lastAnswer = performance.now();
  /** The time of the last question that was not answered. */
  let askedInVain = lastAnswer;
  /** The time until which the feed has certainly heard every announcement. */
  let provedAt = lastAnswer;
  let clockOffset = 0;
  let client: pg.Client | undefined;
  let deaf: DeafFeedError | undefined;
  let proving: Promise<void> | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let awaited: { readonly call: string; readonly heard: () => void } | undefined;

  function hear(payload: string): void {
    const announced = parseMessage(payload);
    if ('announcement' in announced) listener.changed(announced.announcement);
    else if ('call' in announced) {
      if (awaited?.call === announced.call) awaited.heard();
    } else {
      // A later release or another program sent the announcement: everything that is remembered may be old.
      onTrouble({ kind: 'unreadable', reason: payload.slice(0, 200) });
      listener.changed({ kind: 'everyone' });
      listener.changed({ kind: 'statuses' });
      listener.changed({ kind: 'keys' });
    }
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: options.url,
      application_name: 'writ changes',
      query_timeout: GIVE_UP,
      connectionTimeoutMillis: GIVE_UP,
    });
    next.on('error', () => {});
    next.on('notification', ({ payload = '' }) => hear(payload));
    try {
      await next.connect();
      await next.query(`listen ${CHANNEL}`);
      onReached(askedInVain);
      await prove(next);
    } catch (error) {
      next.end().catch(unheeded);
      throw error;
    }
    client = next;
    deaf = undefined;
  }

  /** Announces a call and waits for it. @throws DeafFeedError when the call was announced but not heard */
  async function prove(connection: pg.Client): Promise<void> {
    const call = newId();
    const heard = Promise.withResolvers<boolean>();
    awaited = { call, heard: () => heard.resolve(true) };
    const calledAt = performance.now();
    await announce(JSON.stringify({ kind: 'call', call }));
    const inTime = await within(heard.promise, HEARD_WITHIN).catch(() => false);
    if (!inTime) {
      // This process may only be slow: the answer to a question comes after all earlier announcements.
      await connection.query('select 1');
      heard.resolve(false);
      if (!(await heard.promise)) throw new DeafFeedError('the feed does not hear announcements');
    }
    provedAt = calledAt;
  }

  /** Calls while the questions go on: an announcement may take long. A failed announcement does not prove deafness. */
  function proveAgain(connection: pg.Client): void {
    proving = prove(connection)
      .catch((error: unknown) => {
        if (error instanceof DeafFeedError && client === connection) deaf = error;
      })
      .finally(() => (proving = undefined));
  }

  async function ask(): Promise<void> {
    const asked = performance.now();
    try {
      if (deaf !== undefined) throw deaf;
      if (client === undefined) {
        const heardUntil = Math.min(lastAnswer, provedAt);
        await connect();
        listener.missed(heardUntil);
      } else {
        await lookAtClock(client);
        if (proving === undefined && asked - provedAt >= PROVE_EVERY) proveAgain(client);
      }
      lastAnswer = asked;
      onAnswer(clockOffset);
    } catch (error) {
      // A deaf feed got an answer to its question.
      if (!(error instanceof DeafFeedError)) askedInVain = asked;
      onTrouble({ kind: 'lost', reason: String(error), error });
      client?.end().catch(unheeded);
      client = deaf = undefined;
    }
    if (!closed) timer = setTimeout(() => void ask(), ASK_EVERY);
  }

  async function lookAtClock(connection: pg.Client): Promise<void> {
    const before = clock().getTime();
    const { rows } = await connection.query<{ now: string }>(ASK);
    clockOffset = Number(rows[0]?.now) - (before + clock().getTime()) / 2;
  }

  await connect();
  if (client !== undefined) await lookAtClock(client);
  onAnswer(clockOffset);
  timer = setTimeout(() => void ask(), ASK_EVERY);
  return {
    lastAnswer: () => lastAnswer,
    clockOffset: () => clockOffset,
    async close() {
      closed = true;
      clearTimeout(timer);
      if (client !== undefined) await within(client.end(), GIVE_UP).catch(unheeded);
    },
  };
}

type Message = { readonly announcement: Announcement } | { readonly call: string } | { readonly unreadable: true };

function parseMessage(payload: string): Message {
  let announced: unknown;
  try {
    announced = JSON.parse(payload);
  } catch {
    return { unreadable: true };
  }
  if (typeof announced !== 'object' || announced === null || !('kind' in announced)) return { unreadable: true };
  const { kind } = announced;
  if (kind === 'statuses' || kind === 'keys') return { announcement: { kind } };
  if (kind === 'everyone') {
    const company = 'company' in announced ? announced.company : undefined;
    if (company === undefined) return { announcement: { kind } };
    if (typeof company === 'string' && isCompanyId(company)) return { announcement: { kind, company } };
  }
  if (kind === 'call' && 'call' in announced && typeof announced.call === 'string') return { call: announced.call };
  if (kind === 'account' && 'clientId' in announced) {
    const { clientId } = announced;
    if (typeof clientId === 'string' && isClientId(clientId)) return { announcement: { kind, clientId } };
  }
  return { unreadable: true };
}
