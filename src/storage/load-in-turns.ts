import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/domain-error.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import { createTurns, LineTooLongError } from '../pacing/take-turns.ts';

type Load = (clientId: ClientId) => Promise<AccountSnapshot | undefined>;

/** Of the connections that tokens have, two are left for what must not wait: the replay check, and what is revoked. */
const LOADS = { each: 2, all: 4, line: 1000 };

/** Accounts of which it is remembered whose they are. */
const MOST_REMEMBERED = 100_000;

/**
 * Reads accounts a few at a time: an account may have much, and a company many such accounts. An account whose company
 * is not known yet waits with its like.
 *
 * @returns throws DomainError `unavailable` as well, when too many wait
 */
export function loadInTurns(load: Load): Load {
  const owners = new LRUCache<ClientId, CompanyId | 'root'>({ max: MOST_REMEMBERED });
  const takeTurns = createTurns(LOADS);

  return async (clientId) => {
    try {
      const snapshot = await takeTurns(owners.get(clientId) ?? '', () => load(clientId));
      if (snapshot !== undefined) owners.set(clientId, snapshot.account.company ?? 'root');
      return snapshot;
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      throw new DomainError('unavailable', 'Too many accounts wait to be read', { cause: error });
    }
  };
}
