import pg from 'pg';
import type { Change } from '../domain/change.ts';
import { isClientId, isCompanyId } from '../domain/ids.ts';
import { unheeded, within } from './within.ts';

/** How this node hears of what other nodes change, and how it knows that it would have heard. */
export interface ChangeFeed {
  /** When the database last answered, on the clock of `performance.now()`. */
  lastAnswer(): number;
  /** Milliseconds by which the database's clock is ahead of this node's. */
  clockOffset(): number;
  close(): Promise<void>;
}

/** What a feed tells. */
export interface ChangeListener {
  changed(change: Change): void;
  /** Changes may have gone unheard, since `heardUntil` on the clock of `performance.now()`. */
  missed(heardUntil: number): void;
}

/** The parts that a feed is given. */
export interface ChangeFeedOptions {
  /** Of the database, on a connection that is not shared out by transaction. */
  readonly url: string;
  readonly listener: ChangeListener;
  /**
   * Announces something as every other node does, on another connection: through a pooler, a connection may hear
   * itself and nobody else.
   */
  readonly announce: (payload: string) => Promise<unknown>;
  readonly newId: () => string;
  /** This node's wall clock. */
  readonly clock: () => Date;
  /** Told that the database can be reached again: a connection that has not answered `since` may be silent. */
  readonly onReached: (since: number) => void;
  /** Told of every answer, and by how many milliseconds the database's clock is ahead of this node's. */
  readonly onAnswer: (clockOffset: number) => void;
  readonly onTrouble: (trouble: FeedTrouble) => void;
}

/** `lost`: the connection; `unreadable`: an announcement that is none of this release's. */
export interface FeedTrouble {
  readonly kind: 'lost' | 'unreadable';
  readonly reason: string;
  readonly error?: unknown;
}

/** The feed's connection takes questions, and hears nothing of what is announced. */
export class DeafFeedError extends Error {
  override readonly name = 'DeafFeedError';
}

/** Where changes are announced, as JSON. */
export const CHANNEL = 'writ_changes';
const ASK_EVERY = 300;
/** After so long without an answer the connection is given up and another is made. */
const GIVE_UP = 3000;
/** So often the feed makes sure that it hears, in milliseconds. */
const PROVE_EVERY = 5000;
/** Milliseconds in which a call is heard, or a question decides whether it will be. */
const HEARD_WITHIN = 1000;

/** The database's own clock, in milliseconds. */
const ASK = 'select extract(epoch from clock_timestamp()) * 1000 as now';

/**
 * Listens on a connection of its own (`LISTEN`), and asks the database something on it every 300 ms. PostgreSQL hands a
 * connection its notifications before the answer to a later question, so an answer says that everything that was
 * committed before the question has been heard. That does not hold behind a pooler that shares connections out by
 * transaction (pgbouncer's default for many): it answers, and swallows notifications. So the feed has itself called, at
 * the start, after every new connection and now and then, and a feed that does not hear the call counts as cut off.
 *
 * @throws DeafFeedError when the feed does not hear itself called at the start
 */
export async function createChangeFeed(options: ChangeFeedOptions): Promise<ChangeFeed> {
  const { listener, announce, newId, clock, onReached, onAnswer, onTrouble } = options;
  let lastAnswer = performance.now();
  /** When something was asked that was not answered. */
  let askedInVain = lastAnswer;
  /** Until when it is certain that everything was heard. */
  let provedAt = lastAnswer;
  let clockOffset = 0;
  let client: pg.Client | undefined;
  let deaf: DeafFeedError | undefined;
  let proving: Promise<void> | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let awaited: { readonly call: string; readonly heard: () => void } | undefined;

  function hear(payload: string): void {
    const announced = parseAnnouncement(payload);
    if ('change' in announced) listener.changed(announced.change);
    else if ('call' in announced) {
      if (awaited?.call === announced.call) awaited.heard();
    } else {
      // A newer release, or somebody else: whatever it means, what is remembered may be old.
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

  /** Has the feed called. @throws DeafFeedError when the call went out and was not heard */
  async function prove(connection: pg.Client): Promise<void> {
    const call = newId();
    const heard = Promise.withResolvers<boolean>();
    awaited = { call, heard: () => heard.resolve(true) };
    const calledAt = performance.now();
    await announce(JSON.stringify({ kind: 'call', call }));
    const inTime = await within(heard.promise, HEARD_WITHIN).catch(() => false);
    if (!inTime) {
      // This process may only be slow; the answer to a question comes after all that was announced before it.
      await connection.query('select 1');
      heard.resolve(false);
      if (!(await heard.promise)) throw new DeafFeedError('the feed does not hear what is announced');
    }
    provedAt = calledAt;
  }

  /** Beside the questions: to announce may take its time. That nothing can be announced says nothing of what is heard. */
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
      // A feed that is only deaf was answered.
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

type Announcement = { readonly change: Change } | { readonly call: string } | { readonly unreadable: true };

function parseAnnouncement(payload: string): Announcement {
  let announced: unknown;
  try {
    announced = JSON.parse(payload);
  } catch {
    return { unreadable: true };
  }
  if (typeof announced !== 'object' || announced === null || !('kind' in announced)) return { unreadable: true };
  const { kind } = announced;
  if (kind === 'statuses' || kind === 'keys') return { change: { kind } };
  if (kind === 'everyone') {
    const company = 'company' in announced ? announced.company : undefined;
    if (company === undefined) return { change: { kind } };
    if (typeof company === 'string' && isCompanyId(company)) return { change: { kind, company } };
  }
  if (kind === 'call' && 'call' in announced && typeof announced.call === 'string') return { call: announced.call };
  if (kind === 'account' && 'clientId' in announced) {
    const { clientId } = announced;
    if (typeof clientId === 'string' && isClientId(clientId)) return { change: { kind, clientId } };
  }
  return { unreadable: true };
}
