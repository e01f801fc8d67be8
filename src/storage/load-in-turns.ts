import { LRUCache } from 'lru-cache';
import { DomainError } from '../domain/domain-error.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import { createTurns, LineTooLongError } from '../pacing/take-turns.ts';

type Load = (clientId: ClientId) => Promise<AccountSnapshot | undefined>;

/** Loads use at most four of the six connections for tokens: checks of replays and revoked tokens must not wait. */
const LOADS = { each: 2, all: 4, line: 1000 };

/** The most accounts whose company is remembered. */
const MOST_REMEMBERED = 20_000;

/**
 * Loads few accounts of one company at a time: the large accounts of one company must not hold up other companies.
 * Accounts whose company is not known yet share one line.
 *
 * @returns a function like `load`; it also throws DomainError `unavailable`, when too many accounts wait
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
