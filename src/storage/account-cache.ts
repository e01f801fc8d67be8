import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/domain-error.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import { REACHED_WITHIN } from '../domain/freshness.ts';
import type { RememberedAccount } from '../domain/service-accounts/remembered-account.ts';
import type { ChangeListener } from './change-feed.ts';
import { within } from './within.ts';

/** How an account was found: in memory, in the database, or in memory because the database could not be reached. */
export type CacheOutcome = 'hit' | 'loaded' | 'stale';

/** The accounts that this node remembers. */
export interface AccountCache extends ChangeListener {
  /**
   * Finds an account. A remembered account takes no statement if this node would have heard of a change.
   *
   * @returns undefined when there is no such account
   * @throws DomainError `unavailable` when the database cannot be asked and no remembered account may be served
   */
  find(clientId: ClientId): RememberedAccount | undefined | Promise<RememberedAccount | undefined>;
  /** Whether `find` would answer without asking the database. */
  remembers(clientId: ClientId): boolean;
  /** How many accounts are remembered, and about how many bytes they take. */
  size(): CacheSize;
}

/** The size of a cache of accounts. */
export interface CacheSize {
  readonly accounts: number;
  readonly bytes: number;
}

export interface AccountCacheOptions {
  load(clientId: ClientId): Promise<RememberedAccount | undefined>;
  /** The time at which the database last answered, on the clock of `now`. */
  lastAnswer(): number;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Milliseconds for which a remembered account is still served after the last answer of the database. */
  maxStaleness: number;
  onOutcome(outcome: CacheOutcome): void;
  /** Told of every account that must make room for another one. */
  onEvicted(): void;
  /** About how many bytes an account takes in memory. */
  sizeOf(snapshot: RememberedAccount): number;
  /** The most bytes that all accounts may take. */
  maxBytes: number;
}

interface Entry {
  readonly snapshot: RememberedAccount | undefined;
  readonly epoch: number;
  /** The time at which the load began: the snapshot is at least as new. */
  readonly loadedAt: number;
}

/** While the database cannot be reached: milliseconds to wait for the load of a remembered account. */
const SHORT_DEADLINE = 250;
/** While the database cannot be reached: milliseconds to wait for the load of an account that is not remembered. */
const LONG_DEADLINE = 1000;
/** Milliseconds after a failed load during which an unreachable database is not asked again. */
const PAUSE = 250;

const MOST_UNKNOWN = 10_000;

/**
 * Creates the cache, which keeps the one rule of freshness: a change acts within a second while this node can reach the
 * database, and otherwise at most `maxStaleness` after the last answer.
 *
 * When this node may not have heard of a change, it loads the account anew, once for all requests that wait for the
 * account. If the database does not answer in time, the remembered snapshot is served.
 */
export function createAccountCache(options: AccountCacheOptions): AccountCache {
  const { load, lastAnswer, now, maxStaleness, onOutcome, onEvicted, sizeOf, maxBytes } = options;
  const ofCompany = new Map<CompanyId, Set<ClientId>>();
  // Separate caches: a flood of ids that no account has evicts no account.
  const accounts = new LRUCache<ClientId, Entry>({
    // A limit of the number would take memory for all accounts that might come.
    maxSize: maxBytes,
    sizeCalculation: ({ snapshot }) => (snapshot === undefined ? 1 : sizeOf(snapshot)),
    dispose: ({ snapshot }, clientId, why) => {
      if (why === 'evict') onEvicted();
      const company = snapshot?.account.company;
      const others = company === undefined ? undefined : ofCompany.get(company);
      others?.delete(clientId);
      if (company !== undefined && others?.size === 0) ofCompany.delete(company);
    },
  });
  const unknown = new LRUCache<ClientId, Entry>({ max: MOST_UNKNOWN });
  const loading = new Map<ClientId, Promise<RememberedAccount | undefined>>();
  /** The companies that changed during loads of accounts, each with the value of {@link changes} at its change. */
  const changed = new Map<CompanyId, number>();
  let changes = 0;
  /** For each past epoch, the time until which its snapshots were known to be current. */
  const heardUntil = new Map<number, number>();
  let epoch = 0;
  let pausedUntil = -Infinity;

  function knownCurrent(entry: Entry): number {
    const heard = entry.epoch === epoch ? lastAnswer() : (heardUntil.get(entry.epoch) ?? -Infinity);
    return Math.max(heard, entry.loadedAt);
  }

  function isFresh(entry: Entry): boolean {
    return entry.epoch === epoch && now() - knownCurrent(entry) <= REACHED_WITHIN;
  }

  /** Loads an account once for all requests that wait for it. */
  function loadOnce(clientId: ClientId): Promise<RememberedAccount | undefined> {
    const underway = loading.get(clientId);
    if (underway !== undefined) return underway;
    const entry = { epoch, loadedAt: now() };
    const startedAfter = changes;
    const started = load(clientId).then(
      (snapshot) => {
        // A snapshot is not kept if the account or its company changed during the load: it may be the old one.
        const changedAt = snapshot?.account.company && changed.get(snapshot.account.company);
        const isCurrent = loading.get(clientId) === started && (changedAt ?? 0) <= startedAfter;
        settle(clientId, started);
        if (isCurrent) keep(clientId, { ...entry, snapshot });
        return snapshot;
      },
      (error: unknown) => {
        settle(clientId, started);
        throw error;
      },
    );
    loading.set(clientId, started);
    return started;
  }

  function settle(clientId: ClientId, load: Promise<unknown>): void {
    if (loading.get(clientId) === load) loading.delete(clientId);
    if (loading.size === 0) changed.clear();
  }

  function keep(clientId: ClientId, entry: Entry): void {
    forget(clientId);
    (entry.snapshot === undefined ? unknown : accounts).set(clientId, entry);
    const company = entry.snapshot?.account.company;
    if (company === undefined || !accounts.has(clientId)) return;
    const others = ofCompany.get(company);
    if (others === undefined) ofCompany.set(company, new Set([clientId]));
    else others.add(clientId);
  }

  function forgetCompany(company: CompanyId): void {
    changes += 1;
    if (loading.size > 0) changed.set(company, changes);
    for (const clientId of ofCompany.get(company) ?? []) forget(clientId);
  }

  function forget(clientId: ClientId): void {
    accounts.delete(clientId);
    unknown.delete(clientId);
  }

  async function look(clientId: ClientId, entry: Entry | undefined): Promise<RememberedAccount | undefined> {
    const reaching = now() - lastAnswer() <= REACHED_WITHIN;
    try {
      if (!reaching && now() < pausedUntil) throw new DomainError('unavailable', 'The database does not answer');
      const looked = loadOnce(clientId);
      const snapshot = await (reaching ? looked : within(looked, entry === undefined ? LONG_DEADLINE : SHORT_DEADLINE));
      onOutcome('loaded');
      return snapshot;
    } catch (error) {
      const away = error instanceof DomainError && error.code === 'unavailable';
      const usable = entry?.snapshot !== undefined && now() - knownCurrent(entry) <= maxStaleness;
      if (away) pausedUntil = now() + PAUSE;
      if (!away || !usable) throw error;
      onOutcome('stale');
      return entry.snapshot;
    }
  }

  function nextEpoch(until: number): void {
    heardUntil.set(epoch, until);
    // Snapshots of epochs that ended longer than `maxStaleness` ago are never served: their times are deleted.
    for (const [past, heard] of heardUntil) if (now() - heard > maxStaleness) heardUntil.delete(past);
    epoch += 1;
    loading.clear();
  }

  return {
    size: () => ({ accounts: accounts.size, bytes: accounts.calculatedSize }),

    remembers(clientId) {
      const entry = accounts.get(clientId) ?? unknown.get(clientId);
      return entry !== undefined && isFresh(entry);
    },

    find(clientId) {
      const entry = accounts.get(clientId) ?? unknown.get(clientId);
      if (entry !== undefined && isFresh(entry)) {
        onOutcome('hit');
        return entry.snapshot;
      }
      return look(clientId, entry);
    },

    changed(change) {
      if (change.kind === 'statuses' || change.kind === 'keys') return;
      if (change.kind === 'everyone') {
        if (change.company === undefined) nextEpoch(now());
        else forgetCompany(change.company);
        return;
      }
      forget(change.clientId);
      loading.delete(change.clientId);
    },

    missed: nextEpoch,
  };
}
